complete -c rs-phash-dedup -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-phash-dedup -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-phash-dedup -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-phash-dedup -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-phash-dedup -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-phash-dedup -l radius -d 'Join pictures whose hashes differ in at most N of 64 bits; 0 to 16' -r
complete -c rs-phash-dedup -l algorithm -d 'How a picture becomes 64 bits' -r -f -a "phash\t'Low frequencies of the picture: blind to size, compression, brightness'
dhash\t'Brighter or darker than the pixel to the left'
ahash\t'Brighter or darker than the mean'"
complete -c rs-phash-dedup -l max-pixels -d 'Refuse pictures with more pixels' -r
complete -c rs-phash-dedup -s f -l force -d 'Replace output files that exist'
complete -c rs-phash-dedup -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-phash-dedup -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-phash-dedup -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-phash-dedup -l mark -d 'Keep duplicates too, with the kept record\'s id as `dup_of`'
complete -c rs-phash-dedup -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-phash-dedup -s V -l version -d 'Print version'
