Every command, and every option of it, stands in its section of docs/command-line.md. Prints what does not.

  $ commands=$(nn-meter --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
  > for command in '' $commands; do
  >     section=$(sed -n "/^## ${command:-nn-meter}\$/,/^## /p" "$DOCS/command-line.md")
  >     [ -n "$section" ] || echo "no section for $command"
  >     for option in $(nn-meter $command --help | sed -n '/^Options:/,/^$/s/^  [-o, ]*\(--[a-z-]*\).*/\1/p'); do
  >         [ $option = --help ] || grep -q -e "^| .\?$option[ \`]" <<<"$section" || echo "$command $option"
  >     done
  > done
  > echo $commands
  create connect sample convert profile train adapt build predict evaluate export report doctor register unregister
