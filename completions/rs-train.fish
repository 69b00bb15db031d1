complete -c rs-train -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-train -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-train -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-train -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-train -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-train -l config -d 'Sizes of the model: a file in OpenCLIP\'s form, or ViT-B-32, ViT-B-16, ViT-L-14, ViT-small-16-112, ViT-tiny-16-64, ViT-micro-8-32' -r
complete -c rs-train -l init -d 'Start from the checkpoint and the tokenizer of this directory in place of random weights' -r -F
complete -c rs-train -l tokenizer -d 'A tokenizer.json in place of CLIP\'s; its largest id must end each text' -r -F
complete -c rs-train -l vocab-size -d 'Keep only the first ids of CLIP\'s vocabulary, markers included [default: the config\'s]' -r
complete -c rs-train -l epochs -d 'Times that all pairs are shown' -r
complete -c rs-train -l steps -d 'Batches that are shown, in place of --epochs' -r
complete -c rs-train -l batch-size -d 'Pairs a step, which are told apart; the paper has 4096' -r
complete -c rs-train -l lr -d 'The highest learning rate' -r
complete -c rs-train -l warmup -d 'The share of the steps in which the learning rate rises' -r
complete -c rs-train -l weight-decay -d 'AdamW\'s decay of matrices; biases, norms and the temperature do not decay' -r
complete -c rs-train -l beta1 -d 'AdamW\'s first decay rate' -r
complete -c rs-train -l beta2 -d 'AdamW\'s second decay rate' -r
complete -c rs-train -l epsilon -d 'AdamW\'s epsilon' -r
complete -c rs-train -l clip-norm -d 'Shorten all gradients together to this length where they are longer' -r
complete -c rs-train -l texts -d 'How many of a pair\'s realistic texts are used, best first; a synthetic one comes on top' -r
complete -c rs-train -l seed -d 'Decides weights, order, texts and crops' -r
complete -c rs-train -l out -d 'The model directory to write' -r -F
complete -c rs-train -l save-every -d 'Write the model and what --resume needs after every N steps; 0: only at the end' -r
complete -c rs-train -s f -l force -d 'Replace output files that exist'
complete -c rs-train -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-train -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-train -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-train -l random-crop -d 'Show another part of a picture each epoch, 90 to 100% of its area, in place of its middle'
complete -c rs-train -s h -l help -d 'Print help'
complete -c rs-train -s V -l version -d 'Print version'
