complete -c rs-kmeans -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-kmeans -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-kmeans -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-kmeans -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-kmeans -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-kmeans -s k -l clusters -d 'Number of clusters [default with --from: as many as it holds]' -r
complete -c rs-kmeans -l iterations -d 'Iterations at most; fewer only if no record changes its cluster any more' -r
complete -c rs-kmeans -l seed -d 'What the choice of the first centroids depends on, together with the records\' ids' -r
complete -c rs-kmeans -l out -d 'Write the centroids, a matrix of single precision, and beside it their description, FILE.json' -r -F
complete -c rs-kmeans -l metric -d 'What "near" means [default: spherical, with --from what FILE says]' -r -f -a "spherical\t'The cosine; vectors are scaled to unit length'
euclidean\t'The Euclidean distance'"
complete -c rs-kmeans -l init -d 'Where the first centroids come from: random records, or k-means++, which costs as much as several iterations' -r -f -a "random\t''
kmeans++\t''"
complete -c rs-kmeans -l from -d 'Start from these centroids' -r -F
complete -c rs-kmeans -l kind -d 'Use records of this kind alone [default: images, sentences and pairs]' -r -f -a "image\t''
sentence\t''
pair\t''"
complete -c rs-kmeans -l vectors -d 'Cluster the rows of a matrix of half or single precision in place of records' -r -F
complete -c rs-kmeans -l rows -d 'With --vectors, use only these rows, counted from 0, the last not included' -r
complete -c rs-kmeans -l sample -d 'Use only N records: those whose ids have the smallest hashes. All are used unless this is given' -r
complete -c rs-kmeans -l checkpoint -d 'After each iteration write what a killed run needs; if FILE is there, go on from it, to the same bytes' -r -F
complete -c rs-kmeans -l partial -d 'Write this shard\'s part of the first centroids, or with --from of an iteration, for --merge' -r -F
complete -c rs-kmeans -l assign -d 'Add to each record with an embedding its cluster and its cosine to the centroid; other records pass through' -r -F
complete -c rs-kmeans -s f -l force -d 'Replace output files that exist'
complete -c rs-kmeans -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-kmeans -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-kmeans -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-kmeans -l merge -d 'Read files of --partial, and write the centroids that they make together; with --from these are moved'
complete -c rs-kmeans -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-kmeans -s V -l version -d 'Print version'
