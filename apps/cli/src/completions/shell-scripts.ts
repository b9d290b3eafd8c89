export type CompletedShell = "bash" | "zsh" | "fish";

/**
 * What each shell runs when Tab is pressed. They know nothing of commands: `cuenv __complete -- WORD…` says, in lines of a value, a tab and what
 * it is, what could stand in the place of the last word; `:files` and `:folders` leave it to the shell.
 */
export const shellScripts: Readonly<Record<CompletedShell, string>> = {
  // Bash splits the line at : and =, too, and replaces only what is behind the last one. No bash 4 needed: macOS has 3.2.
  bash: `# Completion of cuenv for bash. Made by: cuenv completions bash
_cuenv() {
  local line="$COMP_LINE" word current part value count=0 index
  local words=()
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    if [[ $index -gt 0 && $count -gt 0 && -n $line && $line != [[:space:]]* && -n $word ]]; then
      words[count-1]="\${words[count-1]}$word"
    else
      line="\${line#"\${line%%[![:space:]]*}"}"
      words[count]="$word"
      count=$((count + 1))
    fi
    line="\${line#"$word"}"
  done
  current="\${words[count-1]}"
  part=""
  if [[ $current == *[:=]* && $COMP_WORDBREAKS == *:* ]]; then
    part="\${current%"\${current##*[:=]}"}"
  fi
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    case "$value" in
      :files)
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "\${current#"$part"}")
        return ;;
      :folders)
        compopt -o filenames 2>/dev/null
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -d -- "\${current#"$part"}")
        return ;;
      ?*)
        value="$(printf '%q' "$value")"
        COMPREPLY+=("\${value#"$part"}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _cuenv cuenv
`,
  zsh: `#compdef cuenv
# Completion of cuenv for zsh. Made by: cuenv completions zsh
_cuenv() {
  local -a lines candidates
  local line value what
  lines=("\${(@f)$("\${(Q)words[1]}" __complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case "$line" in
      :files) _files; return ;;
      :folders) _files -/; return ;;
      '') ;;
      *)
        value="\${\${line%%$'\\t'*}//:/\\\\:}"
        what="\${line#*$'\\t'}"
        candidates+=("$value\${what:+:$what}") ;;
    esac
  done
  (( \${#candidates} )) && _describe -t cuenv 'cuenv' candidates
}
if [[ "\${funcstack[1]}" == _cuenv ]]; then
  _cuenv "$@"
else
  compdef _cuenv cuenv
fi
`,
  fish: `# Completion of cuenv for fish. Made by: cuenv completions fish
function __cuenv_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l found ($program __complete -- $words $current 2>/dev/null)
    switch "$found[1]"
        case :files
            __fish_complete_path $current
        case :folders
            __fish_complete_directories $current
        case '*'
            printf '%s\\n' $found
    end
end
complete -c cuenv -f -a '(__cuenv_complete)'
`,
};

export const completedShells: readonly CompletedShell[] = ["bash", "zsh", "fish"];
