complete -c rs-caption -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-caption -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-caption -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-caption -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-caption -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-caption -l model -d 'The classifier that makes tags: an ONNX model\'s folder with labels in its config.json' -r -F
complete -c rs-caption -l engine -d 'What runs the classifier: auto, ort (ONNX Runtime, from a library) or rten (embedded)' -r
complete -c rs-caption -l onnxruntime -d 'The ONNX Runtime library to use' -r -F
complete -c rs-caption -l vlm-url -d 'The base URL of the model that sees the picture, up to and including the version (http: or https:)' -r
complete -c rs-caption -l llm-url -d 'The base URL of the language model' -r
complete -c rs-caption -l api-key-env -d 'The environment variable that holds the key for both URLs' -r
complete -c rs-caption -l vlm-api-key-env -d 'The environment variable that holds the key for --vlm-url, where it is another' -r
complete -c rs-caption -l in-flight -d 'The most requests under way at a time' -r
complete -c rs-caption -l timeout -d 'The longest time for one attempt at a request' -r
complete -c rs-caption -l retries -d 'How often a request that failed for a passing reason is sent again' -r
complete -c rs-caption -l retry-wait -d 'The wait before the first retry, in milliseconds; it doubles with each, up to a minute' -r
complete -c rs-caption -l merge-prompt -d 'Instructions for the language model in place of the built-in ones; the three sources follow them all the same' -r -F
complete -c rs-caption -l tags-top-k -d 'The most tags a picture gets' -r
complete -c rs-caption -l min-probability -d 'The least probability of a tag' -r
complete -c rs-caption -l vlm-model -d 'The name of the model that sees the picture' -r
complete -c rs-caption -l llm-model -d 'The name of the language model' -r
complete -c rs-caption -l image-side -d 'The longer side of the picture that --vlm-url gets, in pixels' -r
complete -c rs-caption -l max-tokens -d 'The longest answer, in the model\'s tokens' -r
complete -c rs-caption -l max-words -d 'The longest text, in words; what is longer is cut after a sentence' -r
complete -c rs-caption -l seed -d 'The seed sent with each request' -r
complete -c rs-caption -s f -l force -d 'Replace output files that exist'
complete -c rs-caption -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-caption -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-caption -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-caption -l overwrite -d 'Make texts and tags anew that are there already'
complete -c rs-caption -l keep-failed -d 'Let pairs go on whose texts could not be made, without them and with `caption_failed`'
complete -c rs-caption -s h -l help -d 'Print help'
complete -c rs-caption -s V -l version -d 'Print version'
