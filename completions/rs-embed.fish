complete -c rs-embed -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-embed -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-embed -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-embed -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-embed -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-embed -l model -d 'The model\'s folder, in the layout of Hugging Face\'s ONNX exports; or hf:OWNER/NAME, or hf:OWNER/NAME@REVISION, to take one from the hub' -r -F
complete -c rs-embed -l weights -d 'Use the weights of this name where a model has several: fp16 for `onnx/vision_model_fp16.onnx`' -r
complete -c rs-embed -l emb-out -d 'Write the embeddings as rows of FILE, a matrix in half precision, and into the records the numbers of their rows' -r -F
complete -c rs-embed -l engine -d 'What runs the model; auto is ort where the environment (`ORT_DYLIB_PATH`), the model\'s folder (`lib/libonnxruntime.so`) or the system\'s folders hold a usable library' -r -f -a "auto\t''
ort\t'ONNX Runtime, from a library'
rten\t'The embedded engine'"
complete -c rs-embed -l device -d 'What ONNX Runtime computes on; with cuda the library must be one that has the CUDA provider' -r -f -a "cpu\t''
cuda\t''"
complete -c rs-embed -l onnxruntime -d 'The ONNX Runtime library to use' -r -F
complete -c rs-embed -l kind -d 'Embed records of this kind alone; others pass through [default: images, sentences and pairs]' -r -f -a "image\t''
sentence\t''
pair\t''"
complete -c rs-embed -l max-pixels -d 'Reject pictures with more pixels' -r
complete -c rs-embed -s f -l force -d 'Replace output files that exist'
complete -c rs-embed -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-embed -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-embed -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-embed -l replace -d 'Replace embeddings of other models in place of ending the run'
complete -c rs-embed -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-embed -s V -l version -d 'Print version'
