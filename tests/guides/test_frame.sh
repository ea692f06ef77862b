#!/bin/sh
# guide.py itself: takes good.md, and stumbles over each of the others where its first line says.
# test_frame.sh SOURCE BUILD
frame=$1/tests/guides/frame
n_passed=0
n_failed=0
for guide in "$frame"/*.md; do
	said=$(python3 "$1/tests/guides/guide.py" "$1" "$2" "$guide")
	status=$?
	case $guide in
	*/good.md) good=$((status == 0)) ;;
	*) good=$((status == 1)) && case $said in *"$(head -1 "$guide")"*) ;; *) good=0 ;; esac ;;
	esac
	if [ "$good" = 1 ]; then
		n_passed=$((n_passed + 1))
	else
		n_failed=$((n_failed + 1))
		echo "$said"
	fi
done
echo "[  PASSED  ] $n_passed test(s)."
if [ "$n_failed" != 0 ]; then
	echo "[  FAILED  ] $n_failed test(s), listed below:"
	exit 1
fi
