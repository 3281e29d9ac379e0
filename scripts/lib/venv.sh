# Sourced by demo.sh and test.sh: makes .venv at the repository root and installs requirement files into it.
# Nothing is installed again while the files stay as they are; what they bring along has the versions of constraints.txt,
# today as in a year.

need_python() {
    python=${PYTHON:-python3}
    if ! command -v "$python" >/dev/null; then
        echo "error: $python: not found; install Python 3.11 or newer, or set PYTHON to one" >&2
        exit 1
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "error: $python: $("$python" --version) is too old; install Python 3.11 or newer, or set PYTHON to one" >&2
        exit 1
    fi
}

# make_venv FILE...   a leading + on a name means: a package to install without its dependencies
make_venv() {
    need_python
    local stamp=.venv/installed known="" want="" names=" " files=() bare=() item line lock
    lock=$(cksum <constraints.txt)
    [ -f "$stamp" ] && known=$(cat "$stamp")
    for item in "$@"; do
        case $item in
            +*) bare+=("${item#+}"); line=$item names+="${item%%==*} " ;;
            *) files+=(-r "$item"); line="${lock// /-} $(cksum "$item")" names+="$item " ;;
        esac
        want+=$line$'\n'
    done
    # each line of the stamp is a file (with the lock) or a package as it was when it was last installed
    [ -z "$(grep -vxF -- "$known" <<<"${want%$'\n'}")" ] && return
    if [ ! -x .venv/bin/python ]; then
        echo "Making .venv ..."
        if ! "$python" -m venv .venv; then
            rm -rf .venv
            echo "error: $python: cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv" >&2
            exit 1
        fi
    fi
    echo "Installing into .venv (once; a few minutes on a slow line) ..."
    # not compiled ahead: of what is installed the least is ever imported, and that is compiled then
    local pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile)
    "${pip[@]}" -c constraints.txt "${files[@]}" || pip_failed
    if [ ${#bare[@]} -gt 0 ]; then
        "${pip[@]}" --no-deps "${bare[@]}" || pip_failed
    fi
    {
        while read -r line; do
            item=${line##* }
            [[ -z $line || $names == *" ${item%%==*} "* ]] || echo "$line"
        done <<<"$known"
        printf %s "$want"
    } >"$stamp"
}

pip_failed() {
    echo "error: pip: could not install what is needed; see its message above, check the network or the index, run this again" >&2
    exit 1
}
