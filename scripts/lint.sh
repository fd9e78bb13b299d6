#!/usr/bin/env bash
# Checks what needs no build: the Swift files' format, that what they declare is used, the scripts, that no file names a path of
# one machine, that folders do not need one another, and that links and citations of documents lead somewhere.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

case ${1-} in
    '') ;;
    -h | --help) help_text && exit ;;
    *) usage_error "unknown option $1" ;;
esac

failed=false
# Fills files with those that are, or would be, committed and match.
find_files() { mapfile -d '' files < <(git ls-files -z --cached --others --exclude-standard --deduplicate -- "$@"); }
git rev-parse --is-inside-work-tree > /dev/null || die "this works in a git clone only"

find_files '*.swift' ':!*.pb.swift'
if [ ${#files[@]} -gt 0 ] && ! swift format lint --strict --parallel "${files[@]}"; then
    say "FAILED: swift format lint (scripts/lint.sh shows the same; 'swift format -i FILE' mends most of it)"
    failed=true
else
    say "ok: the format of ${#files[@]} Swift files"
fi

find_files 'Sources/*.swift' 'Tools/*.swift' 'Tests/*.swift' ':!*.pb.swift'
if ! command -v python3 > /dev/null; then
    say "skipped: python3 is not installed, which looks for what is declared and not used"
elif python3 scripts/unused.py "${files[@]}"; then
    say "ok: what ${#files[@]} Swift files declare is used"
else
    say "FAILED: the declarations above are used nowhere (by tests alone is nowhere: scripts/unused.py says what is excused)"
    failed=true
fi

find_files '*.sh' .ci/run docker/probe
if ! command -v shellcheck > /dev/null; then
    say "skipped: shellcheck is not installed (apt-get install shellcheck)"
elif shellcheck --external-sources "${files[@]}"; then
    say "ok: ${#files[@]} scripts"
else
    say "FAILED: shellcheck"
    failed=true
fi

# Home folders, mounts and this very clone. What every Debian has (/etc, /usr, /var, /tmp) is no path of one machine.
places='(^|[^A-Za-z0-9_.)/-])/(home|root|work|Users|mnt|media|opt)/[A-Za-z0-9._-]'
find_files ':!LICENSE'
# grep ends with 1 where there is nothing, and with 2 where it could not read a file.
status=0
grep --directories=skip --binary-files=without-match -nE -e "$places" -e "$(printf '%s/' "$root" | sed 's/[][\.*^$+?(){}|]/\\&/g')" "${files[@]}" || status=$?
if [ "$status" -eq 1 ]; then
    say "ok: no path of one machine in ${#files[@]} files"
else
    say "FAILED: the lines above name a path of one machine (or could not be read)"
    failed=true
fi

if ! command -v python3 > /dev/null; then
    say "skipped: python3 is not installed, which looks at folders, and whether links lead somewhere"
else
    if found=$(scripts/folders.py); then
        say "ok: $found"
    else
        printf '%s\n' "$found"
        say "FAILED: folders of a module need one another (docs/architecture.md says in which direction)"
        failed=true
    fi
    if found=$(scripts/check-links.py); then
        say "ok: $found"
    else
        printf '%s\n' "$found"
        say "FAILED: the lines above name what is not there"
        failed=true
    fi
fi

! $failed
