#!/usr/bin/env bash
# Installs what KiteQ needs on Debian 12 and is not there yet.
#
#   scripts/setup.sh [--quiet] [--lint] [--conformance] [--operators] [--clusters]
#
#   --quiet          says nothing where nothing is missing
#   --lint           also what scripts/lint.sh uses: shellcheck
#   --conformance    also what scripts/conformance.sh uses: Python, with kazoo in .build-tools/venv
#   --operators      also what scripts/api-tests.sh, scripts/console-tests.sh and scripts/metrics-tests.sh use: Chromium with
#                    its driver and Selenium, promtool, and schemathesis in .build-tools/venv
#   --clusters       also what scripts/faults.sh and the tests use for clusters: Galera with its scripts in .build-tools/bin,
#                    HAProxy, rsync
#
# Works as root, or through sudo. No database and no ZooKeeper is started: the packages chosen hold the programs without
# their services, and what the project runs it starts and ends itself. Never removes a package that is in the way.
# The Swift toolchain is not among Debian's packages: where it is missing, this says so and stops.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

quiet=false
lint=false
conformance=false
operators=false
clusters=false
for argument; do
    case $argument in
        --quiet) quiet=true ;;
        --lint) lint=true ;;
        --conformance) conformance=true ;;
        --operators) operators=true ;;
        --clusters) clusters=true ;;
        -h | --help) help_text && exit ;;
        *) usage_error "unknown option $argument" ;;
    esac
done

has_command() { command -v "$1" > /dev/null; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }

check_swift() {
    has_command swift \
        || die "the Swift toolchain is missing: install Swift 6.2 or newer (https://www.swift.org/install/linux/) and put its usr/bin into the PATH"
    local version
    version=$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1) || true
    [ -n "$version" ] || die "the Swift toolchain does not run ($(swift --version 2>&1 | head -n 1)); see https://www.swift.org/install/linux/ for what it needs"
    [ "$(printf '%s\n6.2\n' "$version" | sort -V | head -n 1)" = 6.2 ] \
        || die "Swift $version is too old: install Swift 6.2 or newer (https://www.swift.org/install/linux/)"
}

# Fills missing. What is there from elsewhere, such as another Java, is taken as it is.
find_missing() {
    missing=()
    local package
    # To build. libmariadb-dev brings zlib with it.
    for package in libmariadb-dev libssl-dev libzookeeper-mt-dev; do
        is_installed "$package" || missing+=("$package")
    done
    has_command pkg-config || missing+=(pkg-config)
    has_command git || missing+=(git)
    has_command g++ || missing+=(g++)
    # To run: mariadbd and mariadb-install-db; my_print_defaults, which the latter calls; ZooKeeper's classes; a Java.
    if ! has_command mariadbd || ! has_command mariadb-install-db; then missing+=(mariadb-server-core); fi
    if ! has_command mariadb || ! has_command my_print_defaults; then missing+=(mariadb-client-core); fi
    # To try a restore: mariadb-dump.
    has_command mariadb-dump || missing+=(mariadb-client)
    is_installed libzookeeper-java || missing+=(libzookeeper-java)
    has_command java || missing+=(default-jre-headless)
    if $clusters; then
        # A node of Galera copies itself over rsync, and looks with ss whether that listens. galera-4 wants nothing of a service.
        is_installed galera-4 || missing+=(galera-4)
        has_command haproxy || missing+=(haproxy)
        has_command rsync || missing+=(rsync)
        has_command ss || missing+=(iproute2)
        has_command setpriv || missing+=(util-linux)
    fi
    if $lint && ! has_command shellcheck; then missing+=(shellcheck); fi
    if { $conformance || $operators; } && ! python3 -c 'import ensurepip, venv' 2> /dev/null; then missing+=(python3-venv); fi
    if $operators; then
        for package in chromium chromium-driver python3-selenium python3-yaml python3-jsonschema; do
            is_installed "$package" || missing+=("$package")
        done
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# Returns where as_root will work.
require_root() {
    [ "$(id -u)" -ne 0 ] || return 0
    if has_command sudo && { sudo -n true 2> /dev/null || [ -t 0 ]; }; then return; fi
    die "these packages are missing, and this user can neither be root nor use sudo. As root: apt-get install --no-install-recommends ${missing[*]}"
}

update_lists() { long_step "Reading the package lists (apt-get update)" apt-update as_root apt-get update; }

is_known() {
    local candidate
    candidate=$(LC_ALL=C apt-cache policy "$1" | sed -n 's/^  Candidate: //p')
    [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}

install_missing() {
    has_command apt-get || die "this machine has no apt-get; install what these Debian packages hold, then try again: ${missing[*]}"
    require_root
    local updated=false package
    for package in "${missing[@]}"; do
        if ! $updated && ! is_known "$package"; then
            update_lists
            updated=true
        fi
    done
    install_packages && return
    # Lists that are there but old name files that the mirror has no more.
    $updated && die "apt-get could not install: ${missing[*]}"
    update_lists
    install_packages || die "apt-get could not install: ${missing[*]}"
}

install_packages() {
    long_step "Installing ${missing[*]}" apt-install \
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove "${missing[@]}"
}

# install_python MODULE PACKAGE...: into .build-tools/venv, which is made where it is not there.
install_python() {
    local venv=$root/.build-tools/venv module=$1
    shift
    "$venv/bin/python" -c "import $module" 2> /dev/null && return
    into_venv() {
        "$venv/bin/python" -c '' 2> /dev/null || python3 -m venv --clear "$venv" || return
        "$venv/bin/pip" install --disable-pip-version-check "$@"
    }
    long_step "Installing $* into .build-tools/venv" "python-$module" into_venv "$@"
}

# take PACKAGE PROGRAM...: into .build-tools/bin, out of a Debian package that would start a service too where it was installed.
take() {
    local package=$1 program
    shift
    for program; do
        if ! has_command "$program" && [ ! -x "$root/.build-tools/bin/$program" ]; then
            is_known "$package" || update_lists
            long_step "Taking $* out of $package" "take-$package" take_out "$package" "$@"
            return
        fi
    done
}

take_out() (
    package=$1
    shift
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    chmod 755 "$folder"
    cd "$folder" && apt-get download "$package" && dpkg -x "$package"_*.deb . || return
    mkdir -p "$root/.build-tools/bin"
    for program; do cp "usr/bin/$program" "$root/.build-tools/bin/" || return; done
)

check_swift
find_missing
if [ ${#missing[@]} -gt 0 ]; then
    install_missing
    find_missing
    [ ${#missing[@]} -eq 0 ] || die "apt-get was content, but something is still not found: ${missing[*]}"
fi
if $conformance; then install_python kazoo kazoo; fi
if $operators; then
    install_python schemathesis schemathesis==4.32.5 openapi-spec-validator==0.9.0
    take prometheus promtool
fi
if $clusters; then take mariadb-server wsrep_sst_rsync wsrep_sst_common; fi
$quiet || say "All that KiteQ needs is installed"
