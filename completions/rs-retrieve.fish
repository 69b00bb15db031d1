complete -c rs-retrieve -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-retrieve -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-retrieve -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-retrieve -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-retrieve -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-retrieve -l build -d 'Write an index of the sentences that are read, for --index, and no pairs' -r -F
complete -c rs-retrieve -l index -d 'The index of the sentences, which --build wrote' -r -F
complete -c rs-retrieve -l sentences -d 'The sentences with their embeddings, of which an index is made for this run alone; records of other kinds in it and marked duplicates are left out' -r -F
complete -c rs-retrieve -l centroids -d 'The centroids of the sentences\' clusters, as rs-kmeans --out wrote them' -r -F
complete -c rs-retrieve -l vectors -d 'Take the rows of a matrix of half or single precision in place of records; a row\'s number is its id' -r -F
complete -c rs-retrieve -l top-k -d 'Sentences for an image at most' -r
complete -c rs-retrieve -l probe -d 'Clusters that an image looks into: the nearest ones among those that hold sentences' -r
complete -c rs-retrieve -l min-cos -d 'Leave out sentences whose cosine is smaller' -r
complete -c rs-retrieve -l same-doc-boost -d 'Rank sentences of the image\'s own document as if their cosine were larger by X; the cosine that is shown stays' -r
complete -c rs-retrieve -l recall-sample -d 'Look into all clusters as well for this share of the images, and report how much of that was found' -r
complete -c rs-retrieve -s f -l force -d 'Replace output files that exist'
complete -c rs-retrieve -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-retrieve -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-retrieve -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-retrieve -l exclude-same-doc -d 'Leave out sentences of the image\'s own document'
complete -c rs-retrieve -l bulk -d 'Read all images before the first is answered, and then each cluster once: for an index larger than memory'
complete -c rs-retrieve -s h -l help -d 'Print help'
complete -c rs-retrieve -s V -l version -d 'Print version'
