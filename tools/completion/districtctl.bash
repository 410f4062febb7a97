# Completion for bash: source this file, or put it into /usr/share/bash-completion/completions/districtctl.
_districtctl() {
  local word="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  # The command is the words that are neither options nor the values of --config and --data.
  local command="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${COMP_WORDS[i]}" in
      --config | --data) i=$((i + 1)) ;;
      -*) ;;
      *)
        command+="${command:+ }${COMP_WORDS[i]}"
        case "$command" in tenant | apikey | certificate | envelope | rejection | kpi | site | content | log | audit) ;; *) break ;; esac
        ;;
    esac
  done

  case "$previous" in
    --config | --file | --receipt | --certificate) [[ "$word" == -* ]] || { compopt -o default; return; } ;;
    --csv) [[ "$command" != enrol || "$word" == -* ]] || { compopt -o default; return; } ;;  # elsewhere a flag
    --data) compopt -o dirnames; return ;;
    --window) mapfile -t COMPREPLY < <(compgen -W 'hour day month year baseline reporting' -- "$word"); return ;;
    --role) mapfile -t COMPREPLY < <(compgen -W 'reader auditor' -- "$word"); return ;;
  esac

  local global='--config --data --json --help --version' words
  case "$command" in
    '') words="tenant apikey enrol revoke certificate envelope rejection check kpi site content log status audit $global" ;;
    tenant) words='add list show' ;;
    'tenant add') words="--name --zone --content-type --source --file $global" ;;
    'tenant list' | 'tenant show') words="--csv --csv-exact $global" ;;
    apikey) words='create list revoke' ;;
    'apikey create') words="--name --role --tenant --all-tenants --expires $global" ;;
    'apikey list') words="--csv --csv-exact $global" ;;
    'apikey revoke') words="--reason $global" ;;
    enrol) words="--tenant --allow-sha1-until --valid-from --valid-to --csv $global" ;;
    revoke) words="--tenant --reason $global" ;;
    certificate) words='list show' ;;
    'certificate list') words="--tenant --csv --csv-exact $global" ;;
    'certificate show') words="--pem $global" ;;
    envelope) words='list show' ;;
    'envelope list') words="--tenant --from --to --signer --newest --limit --csv --csv-exact $global" ;;
    'envelope show') words="--raw $global" ;;
    rejection) words='list show' ;;
    'rejection list') words="--tenant --from --to --code --limit --csv --csv-exact $global" ;;
    'rejection show') words="--raw $global" ;;
    check) words="--tenant --at --content-type --soap-action --certificate $global" ;;
    kpi) words="explain catalogue recompute --tenant --source --meter --kpi --window --from --to --picture --csv --csv-exact $global" ;;
    'kpi explain') words="--tenant --source --meter --kpi --window --at --csv --csv-exact $global" ;;
    'kpi catalogue') words="--csv --csv-exact $global" ;;
    'kpi recompute') words="--tenant --from --to $global" ;;
    site) words='import list show show-import' ;;
    'site import') words="--dry-run $global" ;;
    'site list') words="--tenant --csv --csv-exact $global" ;;
    'site show') words="--tenant --source --meter --csv --csv-exact $global" ;;
    'site show-import') words="--csv --csv-exact $global" ;;
    content) words='list check' ;;
    'content list' | 'content check') words="--csv --csv-exact $global" ;;
    log) words='verify head' ;;
    'log verify') words="--receipt --head $global" ;;
    status) words="--wait $global" ;;
    audit) words='replay verify' ;;
    'audit replay' | 'audit verify') words="--from --to $global" ;;
    *) words="$global" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
  case "$command" in
    enrol | check | 'site import' | 'content check') [[ "$word" == -* ]] || compopt -o default ;;
  esac
}
complete -F _districtctl districtctl
