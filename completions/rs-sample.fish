complete -c rs-sample -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-sample -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-sample -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-sample -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-sample -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-sample -l cap -d 'Keep at most N pairs of each cluster, drawn at random' -r
complete -c rs-sample -l min-cos -d 'Drop pairs with a lower cosine' -r
complete -c rs-sample -l max-cos -d 'Drop pairs with a higher cosine' -r
complete -c rs-sample -l min-percentile -d 'Drop pairs with a lower cosine than this percentile of the corpus' -r
complete -c rs-sample -l max-percentile -d 'Drop pairs with a higher cosine than this percentile of the corpus' -r
complete -c rs-sample -l on -d 'The text whose cosine to the image is bounded' -r -f -a "synthetic\t'`synthetic_cos`: the synthetic text'
text1\t'`texts[0].cos`: the first retrieved text'"
complete -c rs-sample -l seed -d 'What the draw depends on, together with the pairs\' ids' -r
complete -c rs-sample -l strip -d 'Leave these fields out of the pairs that stay; may be given several times' -r
complete -c rs-sample -l count -d 'Only write to FILE how many pairs have which cosine; no pairs go out' -r -F
complete -c rs-sample -l counts -d 'Take percentiles from FILE, written by --count over the whole corpus' -r -F
complete -c rs-sample -s f -l force -d 'Replace output files that exist'
complete -c rs-sample -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-sample -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-sample -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-sample -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-sample -s V -l version -d 'Print version'
