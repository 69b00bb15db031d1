complete -c rs-perplexity -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-perplexity -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-perplexity -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-perplexity -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-perplexity -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-perplexity -l train -d 'Learn from the sentences and write the model' -r -F
complete -c rs-perplexity -l order -d 'How many words the model\'s longest n-grams have, 2 to 5' -r
complete -c rs-perplexity -l model -d 'Add to each sentence its perplexity by this model; other records pass through' -r -F
complete -c rs-perplexity -l min-perplexity -d 'Drop sentences of a lower perplexity than this' -r
complete -c rs-perplexity -l max-perplexity -d 'Drop sentences of a higher perplexity than this' -r
complete -c rs-perplexity -s f -l force -d 'Replace output files that exist'
complete -c rs-perplexity -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-perplexity -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-perplexity -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-perplexity -s h -l help -d 'Print help'
complete -c rs-perplexity -s V -l version -d 'Print version'
