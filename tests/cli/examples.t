The examples of --help are run as they stand there, in the order of the commands, but with fewer rows and kernels, and the
shortest rounds. Each prints its exit status and its command, and what it says where it fails.

  $ printf 'HW,CIN,COUT,KERNEL_SIZE,STRIDES,latency_ms\n' >conv.csv
  > for h in 14 28 56; do for c in 16 32 64 128; do echo $h,$c,64,3,1,0.0$h$c; done; done >>conv.csv; cp conv.csv measured.csv
  > cat >run <<'end'
  > quick() { sed -i 's/^\(ROUNDS\|MAX_ROUNDS\):.*/\1: 2/; s/^ROUND_MS:.*/ROUND_MS: 1/; s/^WARMUP_MS:.*/WARMUP_MS: 0.1/; s/^CLOCK_GATE:.*/CLOCK_GATE: 0/' ws/configs/backend_config.yaml; }
  > examples() {
  >     nn-meter $1 --help | sed -n '/^Example:/,/^$/s/^  //p' | sed -z 's/\\\n */ /g' |
  >         sed 's/--num [0-9]*/--num 8/; s/--folds 5 --curve [0-9,]*/--folds 2 --curve 4,8/; s/doctor$/doctor --seconds 0.3/'
  > }
  > run() {
  >     examples $1 >list
  >     while read -r line; do
  >         bash -c "$line" </dev/null >out 2>err && code=0 || code=$?
  >         [ $code = 1 ] && grep -q 'nothing to sample around' err && code=0 # adapt, where the first fit is right everywhere
  >         echo "$code $(cut -d' ' -f2 <<<"$line")"
  >         [ $code = 0 ] || cat err >&2
  >         [ -f ws/configs/backend_config.yaml ] && quick
  >     done <list
  > }
  > end

  $ . ./run; rm -rf main; mkdir main; cd main; run
  0 create
  0 build
  0 predict
  $ . ./run; rm -rf ws; cp measured.csv conv.csv; for command in $(nn-meter --complete '' | tail -n +2); do
  >     case $command in register | unregister) ;; *) run $command ;; esac
  > done
  0 create
  0 connect
  0 sample
  0 convert
  0 profile
  0 train
  0 train
  0 train
  0 adapt
  0 build
  0 predict
  0 evaluate
  0 export
  0 export
  0 export
  0 export
  0 doctor
