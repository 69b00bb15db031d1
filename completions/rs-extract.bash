_rs__extract() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="rs__extract"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        rs__extract)
            opts="-j -o -f -q -h -V --jobs --output --force --quiet --rejects --report --strict --max-line --resume --from --files0-from --images-to --count --counts --merge-counts --explain --skip-rule --min-words --max-words --language --min-complexity --min-entropy --entropy-base --perplexity --min-perplexity --max-perplexity --perplexity-percentiles --min-side --max-aspect --max-pixels --max-image --max-document --help --version"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --jobs)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -j)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --output)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -o)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --rejects)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --report)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-line)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    COMPREPLY=($(compgen -W "auto html warc obelics mmc4 omnicorpus markdown epub webdataset parquet" -- "${cur}"))
                    return 0
                    ;;
                --files0-from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --images-to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --count)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --counts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --merge-counts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip-rule)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-words)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-words)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --language)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-complexity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-entropy)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --entropy-base)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --perplexity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-perplexity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-perplexity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --perplexity-percentiles)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --min-side)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-aspect)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pixels)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-image)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-document)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _rs__extract -o nosort -o bashdefault -o default rs-extract
else
    complete -F _rs__extract -o bashdefault -o default rs-extract
fi
