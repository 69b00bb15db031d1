complete -c rs-extract -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-extract -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-extract -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-extract -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-extract -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-extract -l from -d 'What the documents are' -r -f -a "auto\t'By the first bytes of each file'
html\t'HTML, a document a file'
warc\t'WARC or ARC, plain, compressed by the record or as a whole: a document a page'
obelics\t'OBELICS JSON Lines, a document a line'
mmc4\t'MMC4 JSON Lines, a document a line'
omnicorpus\t'`OmniCorpus` JSON Lines, a document a line'
markdown\t'Markdown, a document a file'
epub\t'EPUB, a document a chapter'
webdataset\t'`WebDataset`: a tar file, a document a sample'
parquet\t'OBELICS, MMC4 or `OmniCorpus` as Parquet, a document a row'"
complete -c rs-extract -l files0-from -d 'Take the names of files and folders from FILE, each ended by a NUL as find -print0 does; `-` is standard input' -r -F
complete -c rs-extract -l images-to -d 'Write pictures that are no files of their own (in WARC, EPUB and tar files, data: URIs) to DIR, under their hash' -r -F
complete -c rs-extract -l count -d 'Count the words of the sentences into FILE and write no records: the first of two steps over shards' -r -F
complete -c rs-extract -l counts -d 'Take the corpus\'s word counts from FILE, which --count or --merge-counts wrote; several files add up' -r -F
complete -c rs-extract -l merge-counts -d 'Write to FILE the sum of the operands, which are files that --count wrote, and do nothing else' -r -F
complete -c rs-extract -l skip-rule -d 'Switch a rule off, by the code under which it rejects; several times, or with commas' -r
complete -c rs-extract -l min-words -d 'Drop sentences with fewer words' -r
complete -c rs-extract -l max-words -d 'Drop sentences with more words' -r
complete -c rs-extract -l language -d 'Drop sentences in other languages; several, or with commas; any keeps all' -r
complete -c rs-extract -l min-complexity -d 'Drop sentences in whose parse no word has so many words that depend on it' -r
complete -c rs-extract -l min-entropy -d 'Drop sentences with less entropy' -r
complete -c rs-extract -l entropy-base -d 'Base of the logarithm that entropy is measured with' -r
complete -c rs-extract -l perplexity -d 'Add the perplexity by this model, which rs-perplexity --train wrote, and drop what lies outside the bounds' -r -F
complete -c rs-extract -l min-perplexity -d 'Drop sentences of a lower perplexity' -r
complete -c rs-extract -l max-perplexity -d 'Drop sentences of a higher perplexity' -r
complete -c rs-extract -l perplexity-percentiles -d 'Take as bounds the perplexities below which LOW and HIGH percent of a sample of the sentences lie' -r
complete -c rs-extract -l min-side -d 'Drop images whose shorter side has fewer pixels' -r
complete -c rs-extract -l max-aspect -d 'Drop images whose longer side is more than this many times the shorter' -r
complete -c rs-extract -l max-pixels -d 'Reject images that announce more pixels' -r
complete -c rs-extract -l max-image -d 'Reject longer picture files' -r
complete -c rs-extract -l max-document -d 'Reject longer pages' -r
complete -c rs-extract -s f -l force -d 'Replace output files that exist'
complete -c rs-extract -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-extract -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-extract -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-extract -l explain -d 'Print each sentence with what becomes of it and its parse, instead of records'
complete -c rs-extract -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-extract -s V -l version -d 'Print version'
