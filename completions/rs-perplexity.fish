complete -c rs-perplexity -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-perplexity -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-perplexity -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-perplexity -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-perplexity -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-perplexity -l engine -d 'With a model\'s folder: what runs it; auto is ort where the environment (`ORT_DYLIB_PATH`), the model\'s folder (`lib/libonnxruntime.so`) or the system\'s folders hold a usable library' -r -f -a "auto\t''
ort\t'ONNX Runtime, from a library'
rten\t'The embedded engine'"
complete -c rs-perplexity -l onnxruntime -d 'The ONNX Runtime library to use' -r -F
complete -c rs-perplexity -l memory -d 'With --train: about how much memory to use; what is more goes to temporary files' -r
complete -c rs-perplexity -l train -d 'Learn from the sentences and write an n-gram model' -r -F
complete -c rs-perplexity -l order -d 'How many words the model\'s longest n-grams have, 2 to 5' -r
complete -c rs-perplexity -l min-count -d 'Words that were seen less often are known by their look alone' -r
complete -c rs-perplexity -l model -d 'Add to each sentence its perplexity by this model, an n-gram model\'s file or a causal language model\'s folder; other records pass through' -r -F
complete -c rs-perplexity -l batch -d 'With a model\'s folder: how many sentences of about one length are run together' -r
complete -c rs-perplexity -l min-perplexity -d 'Drop sentences of a lower perplexity than this' -r
complete -c rs-perplexity -l max-perplexity -d 'Drop sentences of a higher perplexity than this' -r
complete -c rs-perplexity -l perplexity-percentiles -d 'Choose the two bounds so that these percentages of the sentences lie below them' -r
complete -c rs-perplexity -l sample -d 'How many sentences, drawn by their ids, the bounds are chosen by' -r
complete -c rs-perplexity -l seed -d 'Draws another sample' -r
complete -c rs-perplexity -s f -l force -d 'Replace output files that exist'
complete -c rs-perplexity -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-perplexity -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-perplexity -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-perplexity -l text -d 'The input is plain text, a sentence a line, in place of records'
complete -c rs-perplexity -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-perplexity -s V -l version -d 'Print version'
