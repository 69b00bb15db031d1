complete -c rs-semdedup -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-semdedup -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-semdedup -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-semdedup -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-semdedup -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-semdedup -l distance -d 'Join records whose cosine distance is below this; over 0, up to 1' -r
complete -c rs-semdedup -l percentile -d 'Choose the distance: the largest of a table that drops at most this share of the records, in per cent; the table is told, and is in the report' -r
complete -c rs-semdedup -l clusters -d 'Compare by this many clusters [default: none up to 200,000 distinct vectors, twice the square root of their number beyond]' -r
complete -c rs-semdedup -l centroids -d 'Compare by the clusters of these centroids, which rs-kmeans made' -r -F
complete -c rs-semdedup -l recall -d 'The share of pairs that must be found where clusters are compared, as far as a sample can say; 1 is --exact' -r
complete -c rs-semdedup -l keep -d 'Which record of each set stays' -r -f -a "centroid\t'The one that is nearest to its set\'s centroid'
first\t'The one with the smallest id'
largest\t'The image with the most pixels, the sentence with the most characters'
quality\t'The one whose --quality-field is greatest'"
complete -c rs-semdedup -l quality-field -d 'The field, a number, whose greatest value stays' -r
complete -c rs-semdedup -l kind -d 'Look at records of this kind alone; others pass through [default: images and sentences]' -r -f -a "image\t''
sentence\t''"
complete -c rs-semdedup -l edges -d 'Only search, and write which records belong together as edge/1 records in place of the records; I/N does one part of N of the search' -r
complete -c rs-semdedup -l merge -d 'Do not search: join what these files of edges say, however many runs of --edges they come from' -r -F
complete -c rs-semdedup -l vectors -d 'Compare the rows of a matrix of half or single precision in place of records' -r -F
complete -c rs-semdedup -s f -l force -d 'Replace output files that exist'
complete -c rs-semdedup -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-semdedup -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-semdedup -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-semdedup -l exact -d 'Miss no pair: compare all with all, or what the bound of given clusters leaves'
complete -c rs-semdedup -l mark -d 'Keep duplicates too, with the kept record\'s id as `dup_of`'
complete -c rs-semdedup -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-semdedup -s V -l version -d 'Print version'
