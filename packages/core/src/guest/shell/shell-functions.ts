/**
 * POSIX shell functions that run commands. Each definition is one line, short enough for any line editor. The functions
 * stay defined until the shell ends, and also in copies of the machine.
 *
 * A command writes its output to two files. So the terminal does not change the output, it can be sent again if a
 * kernel message interrupts it, and background processes do not delay the answer. The answer is printed as a frame (see
 * shell-answer.ts): short text unchanged, other output compressed and encoded.
 *
 * Settings of the user have no effect: `>|` overwrites files despite `set -C`, `command` bypasses functions and
 * aliases, and no variable is used before it is set (`set -u`).
 *
 * Without hardware acceleration, a fork and exec takes about 10 ms. If the output is short, the command itself is the
 * only process that is started.
 */

import { KEPT_BYTES } from '../output-buffer.ts'

/** Longest line typed, characters. The editor of busybox truncates lines at 1,020. */
export const LONGEST_LINE = 700

/** Output up to this many bytes is read by the shell itself, byte by byte. */
const SHORT_BYTES = 1000

/** Length of the list of old output files, characters. The files of a longer list are removed. */
const MOST_NAMES = 700

/**
 * Returns the lines that define the functions:
 *
 * - `_cb token command directory input` runs a command, `_cbj` (same arguments) in the background
 * - `_cbr token status` prints the frame of a command that ended
 * - `_cbk file` reads a short text from an output file into a variable
 * - `_cbz token` prints the output again, packed
 * - `_cbf token` prints the end of the output of a killed command
 * - `_cbx` kills the command in the background
 * - `_cbt token` removes old output files
 * - `_cbw file text` writes a short file
 * - `_cbu token file` appends input from the terminal to a file
 *
 * Each command has its own files, because background processes of an earlier command may still write to their files.
 *
 * @param directory unique name of the directory for the files
 * @param token token of the frame that confirms the lines
 */
export function setupLines(directory: string, token: string): string[] {
  return [
    // The first directory in which a new private directory can be created.
    `for _cbd in "\${TMPDIR:-/tmp}" /run /dev/shm /var/tmp /dev .;do _cbd=$_cbd/.coldboot-${directory};(umask 077;mkdir "$_cbd")2>/dev/null&&break;_cbd=;done`,
    `_cbc=$(command printf '\\035\\036\\037');_cbl=;_cbb=;_cba=`,
    `_cbh(){ command -v "$1">/dev/null 2>&1;}`,
    // Without a controlling terminal, Ctrl-C does not work. Commands then run in the background, in their own sessions.
    `_cbg=;(:</dev/tty)2>/dev/null||_cbg=1;_cbS=;_cbh setsid&&_cbS=setsid`,
    `_cbn=;if _cbh base64;then _cbn=base64;_cby(){ base64;};elif _cbh od;then _cbn=hex;_cby(){ od -An -v -tx1;};elif _cbh hexdump;then _cbn=hex;_cby(){ hexdump -v -e '32/1 "%02x" "\\n"';};elif _cbh xxd;then _cbn=hex;_cby(){ xxd -p;};fi`,
    `if _cbh gzip;then _cbn=gzip-$_cbn;_cbp(){ gzip -1c "$_cbo.o" "$_cbo.e"|_cby;};else _cbp(){ _cby<"$_cbo.o";command printf '\\035';_cby<"$_cbo.e";command printf '\\035';wc -c <"$_cbo.o";wc -c <"$_cbo.e";};fi`,
    `_cb(){ [ -d "$_cbd" ]||return 1;command printf '\\036%s!%s\\037' "$1" $_cbg;_cbo=$_cbd/$1;if [ -n "\${3-}" ]&&! { [ -d "$3" ]&&[ -x "$3" ];};then command printf '\\036%s?\\037' "$1";elif [ -n "$_cbg" ];then (_cbj "$@")&else ({ set +x;} 2>/dev/null;[ -z "\${3-}" ]||CDPATH= command cd -- "$3"||exit;exec sh -c "$2")>|"$_cbo.o" 2>|"$_cbo.e" <"\${4:-/dev/null}";_cbr "$1" $?;fi;_cbt "$1";}`,
    `_cbj(){ ({ set +x;} 2>/dev/null;[ -z "\${3-}" ]||CDPATH= command cd -- "$3"||exit;exec $_cbS sh -c 'echo $$>|"$0";exec sh -c "$1"' "$_cbo.p" "$2")>|"$_cbo.o" 2>|"$_cbo.e" <"\${4:-/dev/null}";_cbs=$?;echo $_cbs>|"$_cbo.s";_cbr "$1" $_cbs;}`,
    `_cbr(){ _cbs=$2;if _cbk o&&{ _cbq=$_cbv;_cbk e;};then command printf '\\036%s;%s;%s;%s\\035%s\\035%s\\037' "$1" "$2" \${#_cbq} \${#_cbv} "$_cbq" "$_cbv";else _cbz "$1";fi;:;}`,
    `_cbk(){ _cbv=;[ -s "$_cbo.$1" ]||return 0;IFS= read -r -d '' -n ${SHORT_BYTES} _cbv 2>/dev/null <"$_cbo.$1"&&return 1;case $_cbv in ''|*[$_cbc]*)return 1;;esac;}`,
    `_cbz(){ _cbb=1;[ -z "$_cbg" ]||read -r _cbs <"$_cbo.s";command printf '\\036%s:%s:%s\\035' "$1" "$_cbs" $_cbn;_cbp;command printf '\\037';}`,
    // Long outputs may be requested again, so they are removed by the next command. Short ones wait for a full list.
    `_cbt(){ if [ \${#_cbl} -gt ${MOST_NAMES} ]||[ -n "$_cba" ];then (command cd "$_cbd"&&rm -f $_cbl);_cbl=;fi;_cba=$_cbb;_cbb=;_cbl="$_cbl $1.o $1.e $1.s $1.p";}`,
    `_cbf(){ for _cbv in o e;do tail -c ${KEPT_BYTES} "$_cbo.$_cbv">|"$_cbo.t"&&mv -f "$_cbo.t" "$_cbo.$_cbv";done 2>/dev/null;_cbr "$1" -;}`,
    `_cbx(){ read -r _cbv <"$_cbo.p"&&{ kill -9 -$_cbv||kill -9 $_cbv;} 2>/dev/null;}`,
    `_cbw(){ command printf '%b' "$2">|"$_cbd/$1";}`,
    `if _cbh base64;then _cbm=base64;_cbi(){ base64 -d;};else _cbm=escapes;_cbi(){ while IFS= read -r _cbq;do command printf '%b' "$_cbq";done;};fi`,
    `_cbu(){ _cbv=$(stty -g 2>/dev/null);stty -echo 2>/dev/null;command printf '\\036%s>%s\\037' "$1" $_cbm;_cbi>>"$_cbd/$2";stty "$_cbv" 2>/dev/null;command printf '\\036%s<%s\\037' "$1" "$(wc -c <"$_cbd/$2")";}`,
    `command printf '\\036%s*%s;%s\\037' ${token} "$_cbd" $_cbn`,
  ]
}
