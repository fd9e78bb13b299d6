# shellcheck shell=bash
# The databases and users of KiteQ, made by the mysql image when its data folder is new. The image's entrypoint sources
# this and has docker_process_sql; the passwords come from files and are on no command line.
#
# kiteq runs the brokers and only reads and writes rows; kiteq_migrate makes and changes the tables.

for kiteq_user in kiteq kiteq_migrate; do
    kiteq_password=$(< "/run/secrets/$kiteq_user")
    case $kiteq_password in
        '' | *[!A-Za-z0-9]*)
            mysql_error "docker/secrets/$kiteq_user must hold a password of letters and digits"
            ;;
    esac
    docker_process_sql << END
CREATE USER '$kiteq_user'@'%' IDENTIFIED BY '$kiteq_password';
END
done
unset kiteq_user kiteq_password

docker_process_sql << 'END'
CREATE DATABASE kite_0;
CREATE DATABASE kite_1;
CREATE DATABASE kite_2;
CREATE DATABASE kite_3;
GRANT SELECT, INSERT, UPDATE, DELETE ON `kite\_%`.* TO 'kiteq'@'%';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX, DROP ON `kite\_%`.* TO 'kiteq_migrate'@'%';
END
