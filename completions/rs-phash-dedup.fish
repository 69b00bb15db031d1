complete -c rs-phash-dedup -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-phash-dedup -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-phash-dedup -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-phash-dedup -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-phash-dedup -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-phash-dedup -l radius -d 'Join pictures whose hashes differ in at most N of 64 bits; 0 to 16' -r
complete -c rs-phash-dedup -l algorithm -d 'How a picture becomes 64 bits; the records\' field has the same name' -r -f -a "phash\t'Low frequencies of the picture: blind to size, compression, brightness'
dhash\t'Brighter or darker than the pixel to the left'
ahash\t'Brighter or darker than the mean'
blockhash\t'Blocks brighter or darker than the median of their quarter, in colour'
whash\t'Lowest band of the Haar wavelet'"
complete -c rs-phash-dedup -l sentence-jaccard -d 'Join sentences too whose sets of five-character runs have at least this Jaccard index, from 0.2 to 1; most of them are found (see RECORDS)' -r
complete -c rs-phash-dedup -l edges -d 'Only search, and write which hashes belong together as edge/1 records in place of the records; I/N does one part of N of the search' -r
complete -c rs-phash-dedup -l merge -d 'Do not search: join what these files of edges say, however many runs of --edges they come from' -r -F
complete -c rs-phash-dedup -l seen -d 'Drop also what belongs to something that an earlier run kept, as a file of --seen-out says; it is only read' -r -F
complete -c rs-phash-dedup -l seen-out -d 'Write all that the files of --seen hold and what this run saw to a new file, for the next run' -r -F
complete -c rs-phash-dedup -l max-pixels -d 'Refuse pictures with more pixels' -r
complete -c rs-phash-dedup -s f -l force -d 'Replace output files that exist'
complete -c rs-phash-dedup -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-phash-dedup -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-phash-dedup -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-phash-dedup -l mark -d 'Keep duplicates too, with the kept record\'s id as `dup_of`'
complete -c rs-phash-dedup -l hash -d 'Only give each image its hash: a map'
complete -c rs-phash-dedup -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-phash-dedup -s V -l version -d 'Print version'
