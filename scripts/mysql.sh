#!/usr/bin/env bash
# Fetches a real MySQL for the tests into .mysql/root and prints that folder:
#
#   export KITEQ_MYSQL_ROOT=$(scripts/mysql.sh)
#
# Debian 12 has no MySQL of its own. This takes mysql-server-core of Debian sid and the libraries it wants, down to libc,
# from the Debian mirror that this machine's apt uses, checks them by Debian's signing key, and unpacks them into a folder
# (330 MB). Nothing is installed; no root is needed. Run by the second time it only prints the folder; remove .mysql to
# fetch anew. mysqld has to be run through the ld-linux in there, since it wants a newer libc than Debian 12 has.
# shellcheck source=lib.sh source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

case ${1-} in
    '') ;;
    -h | --help) help_text && exit ;;
    *) usage_error "unknown option $1" ;;
esac

folder=$root/.mysql
apt=$folder/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The addresses of Debian's own packages in this machine's apt settings, the likeliest first.
mirrors() {
    local release
    release=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME-}")
    # shellcheck disable=SC2016 # the format is apt's
    apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Identifier: Packages' \
        | awk -v release="$release" '$1 == release && $2 == "main" && !seen[$3]++ { print $3 }'
}

# An apt of its own below .mysql, which sees only sid and no installed package.
prepare_apt() {
    rm -rf "$apt"
    mkdir -p "$apt"/etc/apt/{apt.conf.d,preferences.d,trusted.gpg.d} "$apt"/var/lib/{apt/lists/partial,dpkg} \
        "$apt"/var/cache/apt/archives/partial
    touch "$apt/var/lib/dpkg/status"
    {
        printf 'Dir "%s";\nAPT::Sandbox::User "root";\nAPT::Architecture "%s";\n' "$apt" "$architecture"
        printf 'APT::Install-Recommends "false";\nAcquire::Languages "none";\n'
        # This machine's proxies hold here too.
        apt-config dump | grep -iE '^Acquire::(http|https)::(Proxy|CAInfo|Verify)' || true
    } > "$folder/apt.conf"
}

# A mirror's copy may be an old one: its signature is checked, its age is not.
update_apt() {
    printf 'deb [signed-by=%s arch=%s] %s sid main\n' "$keyring" "$architecture" "$1" > "$apt/etc/apt/sources.list"
    APT_CONFIG=$folder/apt.conf apt-get -o Acquire::Check-Valid-Until=false -o APT::Update::Error-Mode=any update
}

unpack() {
    local package
    rm -rf "$folder/unpacked" && mkdir "$folder/unpacked" || return
    for package in "$apt"/var/cache/apt/archives/*.deb; do dpkg -x "$package" "$folder/unpacked" || return; done
}

mysql_version() {
    local loader lib
    loader=$(find "$1/usr/lib" -name 'ld-linux*.so.*' -print -quit)
    lib=$(dirname "$loader")
    "$loader" --library-path "$lib:$1/usr/lib/mysql/private" "$1/usr/sbin/mysqld" --no-defaults --version
}

fetch() {
    local mirror found=false
    if ! command -v apt-get > /dev/null || [ ! -r "$keyring" ]; then
        die "a MySQL for the tests comes from Debian's packages, and this machine has no apt-get or not Debian's signing key ($keyring); KITEQ_SKIP_MYSQL=1 runs the tests without it"
    fi
    architecture=$(dpkg --print-architecture)
    prepare_apt
    for mirror in $(mirrors); do
        if long_step "Reading the package lists of Debian sid" mysql-update update_apt "$mirror"; then
            found=true
            break
        fi
    done
    $found || die "no Debian mirror that /etc/apt names has Debian sid; KITEQ_SKIP_MYSQL=1 runs the tests without a MySQL"
    long_step "Fetching MySQL" mysql-fetch env APT_CONFIG="$folder/apt.conf" apt-get install -y --download-only mysql-server-core
    long_step "Unpacking MySQL" mysql-unpack unpack
    mysql_version "$folder/unpacked" > /dev/null || die "the MySQL in .mysql/unpacked does not run on this machine"
    rm -rf "$folder/root"
    # Only now: a root folder that is there is whole.
    mv "$folder/unpacked" "$folder/root"
    rm -rf "$apt" "$folder/apt.conf"
}

mkdir -p "$folder"
exec 9> "$folder/lock"
flock 9
if [ ! -x "$folder/root/usr/sbin/mysqld" ]; then fetch; fi
say "MySQL $(mysql_version "$folder/root" | sed -n 's/.* Ver \([^ ]*\).*/\1/p') is in .mysql/root"
printf '%s\n' "$folder/root"
