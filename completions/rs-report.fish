complete -c rs-report -s j -l jobs -d 'Worker threads [default: one a core]; the output is the same at any number' -r
complete -c rs-report -s o -l output -d 'Write to FILE in place of standard output: under FILE.part until it is whole' -r -F
complete -c rs-report -l rejects -d 'Write a reject/1 record for everything that does not go on, with its reason' -r -F
complete -c rs-report -l report -d 'Write the funnel (seen, kept, dropped by reason) as funnel/1 records' -r -F
complete -c rs-report -l max-line -d 'Reject lines that are longer than this many bytes' -r
complete -c rs-report -l order -d 'Which pairs are shown and how: the best first, or an even sample in the order of the input' -r -f -a "best\t'Highest cosine of the first text first'
input\t'As they were read'"
complete -c rs-report -l max-gallery -d 'The most pairs shown' -r
complete -c rs-report -l title -d 'The page\'s heading' -r
complete -c rs-report -l date -d 'A date or other line under the heading; none is made up, so that the same records give the same bytes' -r
complete -c rs-report -s f -l force -d 'Replace output files that exist'
complete -c rs-report -s q -l quiet -d 'No progress, no warnings, no summary on standard error'
complete -c rs-report -l strict -d 'End with status 2 at the first record that is bad input'
complete -c rs-report -l resume -d 'Go on where a killed run with the same arguments stopped (needs --output); a tool that must see all its input starts again'
complete -c rs-report -l terminal -d 'Write the funnel as a plain table for the terminal in place of the page'
complete -c rs-report -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rs-report -s V -l version -d 'Print version'
