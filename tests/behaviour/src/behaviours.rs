//! The table: one function a behaviour, each given a case.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Case, Scene};

/// How long a tool may take for something that should not take long.
const PATIENCE: Duration = Duration::from_mins(1);

/// `--help` and `--version` are answers, not complaints.
pub fn help_and_version_are_on_standard_output(case: &Case) {
    let scene = case.scene();
    let help = scene.bare(&["--help"]).expect(&[0]);
    assert!(
        help.err.is_empty() && String::from_utf8_lossy(&help.out).contains("Usage:"),
        "{help:?}"
    );
    assert!(!help.out.contains(&0x1b), "colours off a terminal");
    let version = scene.bare(&["--version"]).expect(&[0]);
    assert!(
        String::from_utf8_lossy(&version.out).starts_with(case.name),
        "{version:?}"
    );
}

/// Somebody who types the name alone wants to know what it does.
pub fn no_arguments_on_a_terminal_is_help(case: &Case) {
    let finished = on_a_terminal(&case.scene(), &[], b"");
    assert_eq!(finished.0, Some(2), "{}", finished.1);
    assert!(finished.1.contains("Usage:"), "{}", finished.1);
}

/// A flag that is none and a file that is none end the run before anything is written.
pub fn wrong_usage_is_status_2(case: &Case) {
    let scene = case.scene();
    let flag = scene.run(&["--no-such-flag"], b"").expect(&[2]);
    assert!(flag.err.contains("--no-such-flag"), "{}", flag.err);
    let file = scene.run(&["no-such-file.jsonl"], b"").expect(&[2]);
    assert!(
        file.err.contains("no-such-file.jsonl") && file.out.is_empty(),
        "{file:?}"
    );
}

/// A disk without room: status 2 and words, for the records and for the help.
pub fn a_full_disk_is_status_2(case: &Case) {
    let scene = case.scene();
    for arguments in [vec!["--help".to_owned()], scene.arguments.clone()] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let mut child = Command::new(scene.program())
            .args(&arguments)
            .current_dir(scene.dir.path())
            .stdin(Stdio::piped())
            .stdout(full)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = scene.input.clone();
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let finished = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&finished.stderr);
        assert_eq!(finished.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(
            err.contains("standard output") && !err.contains("panicked"),
            "{arguments:?}: {err}"
        );
    }
}

/// `tool | head`: when the reader goes, the tool ends without a word.
pub fn a_closed_pipe_is_quiet(case: &Case) {
    let scene = case.scene();
    let mut child = spawn(&scene, &["-q"]);
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    let input = scene.input.clone();
    thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let finished = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&finished.stderr);
    assert_eq!(finished.status.code(), Some(0), "{err}");
    assert_eq!(err, "");
}

/// Progress is for eyes: on a terminal there may be some, elsewhere never, and with `-q` nothing at all.
pub fn nothing_is_shown_off_a_terminal(case: &Case) {
    let scene = case.scene();
    let finished = scene.run(&[], scene.input.as_bytes()).expect(case.status);
    assert!(
        !finished.err.contains('\r') && !finished.err.contains('\u{1b}'),
        "{:?}",
        finished.err
    );
    let quiet = scene
        .run(&["-q"], scene.input.as_bytes())
        .expect(case.status);
    assert_eq!(quiet.err, "");
    assert_eq!(quiet.out, finished.out);
}

/// Lines that are no records cost themselves and nothing else; each is in the rejects with file and line.
pub fn bad_lines_are_rejected_and_nothing_is_lost(case: &Case) {
    let scene = case.scene();
    let clean = scene.run(&[], scene.input.as_bytes()).expect(case.status);
    let half = scene.input.lines().count() / 2;
    let mut input = Vec::new();
    for (number, line) in scene.input.lines().enumerate() {
        if number == half {
            input.extend_from_slice(
                b"not a record\n{\"schema\":\"sentence/1\",\"text\":\"\xff\"}\n\n{}\n",
            );
            input.extend_from_slice(&vec![b'x'; 300_000]);
            input.push(b'\n');
        }
        input.extend_from_slice(line.as_bytes());
        input.push(b'\n');
    }
    input.extend_from_slice(br#"{"schema":"image/1","id":"cut off"#);
    let max_line = scene
        .input
        .lines()
        .map(str::len)
        .max()
        .unwrap_or(0)
        .max(200_000)
        .to_string();
    let finished = scene
        .run(
            &[
                "--rejects",
                "r.jsonl",
                "--report",
                "f.jsonl",
                "--max-line",
                &max_line,
            ],
            &input,
        )
        .expect(&[1]);
    assert_eq!(
        String::from_utf8_lossy(&finished.out),
        String::from_utf8_lossy(&clean.out)
    );
    let rejects = String::from_utf8(scene.read("r.jsonl")).unwrap();
    let at = |offset: usize| half + offset;
    let last = scene.input.lines().count() + 6;
    for (code, line) in [
        ("bad-json", at(1)),
        ("bad-utf8", at(2)),
        ("missing-schema", at(4)),
        ("line-too-long", at(5)),
        ("bad-json", last),
    ] {
        let has = rejects.lines().any(|reject| {
            reject.contains(&format!("\"code\":\"{code}\""))
                && reject.contains(&format!("\"file\":\"-\",\"line\":{line}"))
        });
        assert!(has, "no reject {code} of line {line} in:\n{rejects}");
    }
    assert!(
        rejects.contains("\"bytes\":300000"),
        "the length of the long line is lost"
    );
    assert!(
        String::from_utf8(scene.read("f.jsonl"))
            .unwrap()
            .contains("\"bad-utf8\":1")
    );
    assert!(finished.err.contains("bad-utf8"), "{}", finished.err);
}

/// Under `--strict` the first bad line ends the run.
pub fn strict_ends_at_the_first_bad_line(case: &Case) {
    let scene = case.scene();
    let input = format!("not a record\n{}", scene.input);
    let finished = scene.run(&["--strict"], input.as_bytes()).expect(&[2]);
    assert!(
        finished.err.contains("-:1") && finished.err.contains("--strict"),
        "{}",
        finished.err
    );
}

/// A kind of record that nobody knows travels along byte for byte.
pub fn unknown_kinds_pass_through_untouched(case: &Case) {
    let scene = case.scene();
    let odd = "{ \"schema\" : \"audio/7\", \"x\":1.50,\"nested\":{\"a\":[1, 2]}, \"é\":null }";
    let input = format!("{odd}\n{}{odd}\n", scene.input);
    let lines = scene.run(&[], input.as_bytes()).expect(case.status).lines();
    assert_eq!(
        (
            lines.first().unwrap().as_str(),
            lines.last().unwrap().as_str()
        ),
        (odd, odd)
    );
}

/// gzip and Zstandard by their first bytes, several members, mixed with `-`, and `--` before a name like a flag.
pub fn compressed_operands_are_read(case: &Case) {
    let scene = case.scene();
    let lines: Vec<&str> = scene.input.split_inclusive('\n').collect();
    let part = |from: usize, to: usize| lines[from..to].concat();
    let half = lines.len() / 2;
    scene.write("a.gz", &[gzip(&part(0, 1)), gzip(&part(1, 2))].concat());
    scene.write("b", &[zst(&part(2, 3)), zst(&part(3, half))].concat());
    scene.write("-c.jsonl", part(half, lines.len() - 1).as_bytes());
    let whole = scene.run(&[], scene.input.as_bytes()).expect(case.status);
    let parts = scene
        .run(
            &["--", "a.gz", "b", "-c.jsonl", "-"],
            lines[lines.len() - 1].as_bytes(),
        )
        .expect(case.status);
    assert_eq!(
        String::from_utf8_lossy(&parts.out),
        String::from_utf8_lossy(&whole.out)
    );
}

/// A gzip file that breaks off is rejected with its name; what came before is used.
pub fn a_cut_gzip_is_rejected(case: &Case) {
    let scene = case.scene();
    let gz = gzip(&scene.input);
    scene.write("cut.gz", &gz[..gz.len() - 9]);
    let finished = scene
        .run(
            &["--rejects", "r.jsonl", "cut.gz", "-"],
            scene.input.as_bytes(),
        )
        .expect(&[1]);
    let rejects = String::from_utf8(scene.read("r.jsonl")).unwrap();
    assert!(
        rejects.contains("\"broken-input\"") && rejects.contains("cut.gz"),
        "{rejects}"
    );
    assert!(!finished.out.is_empty());
}

/// `-o` makes a whole file or none, and replaces one only with `-f`.
pub fn output_appears_whole_and_is_not_clobbered(case: &Case) {
    let scene = case.scene();
    let direct = scene.run(&[], scene.input.as_bytes()).expect(case.status);
    let first = scene
        .run(&["-o", "out"], scene.input.as_bytes())
        .expect(case.status);
    assert!(first.out.is_empty());
    assert_eq!(scene.read("out"), direct.out);
    assert!(!scene.path("out.part").exists() && !scene.path("out.part.state").exists());
    scene.write("out", b"precious");
    let refused = scene
        .run(&["-o", "out"], scene.input.as_bytes())
        .expect(&[2]);
    assert!(refused.err.contains("out exists"), "{}", refused.err);
    assert_eq!(scene.read("out"), b"precious");
    let _ = scene
        .run(&["-f", "-o", "out"], scene.input.as_bytes())
        .expect(case.status);
    assert_eq!(scene.read("out"), direct.out);
}

/// `-j` is about time only.
pub fn the_bytes_are_the_same_at_any_number_of_threads(case: &Case) {
    let scene = case.scene();
    let one = scene
        .run(&["-j", "1"], scene.input.as_bytes())
        .expect(case.status);
    assert!(!one.out.is_empty());
    for jobs in ["1", "3", "8"] {
        let other = scene
            .run(&["-j", jobs], scene.input.as_bytes())
            .expect(case.status);
        assert_eq!(
            String::from_utf8_lossy(&other.out),
            String::from_utf8_lossy(&one.out),
            "-j {jobs}"
        );
    }
}

/// The map law: f(a) + f(b) = f(a + b), wherever the input is cut.
pub fn the_output_of_parts_is_the_output_of_the_whole(case: &Case) {
    let scene = case.scene();
    let whole = scene
        .run(&[], scene.input.as_bytes())
        .expect(case.status)
        .out;
    let lines: Vec<&str> = scene.input.split_inclusive('\n').collect();
    for cut in [1, lines.len() / 3, lines.len() / 2, lines.len() - 1] {
        let mut parts = scene
            .run(&[], lines[..cut].concat().as_bytes())
            .expect(case.status)
            .out;
        parts.extend(
            scene
                .run(&[], lines[cut..].concat().as_bytes())
                .expect(case.status)
                .out,
        );
        assert_eq!(
            String::from_utf8_lossy(&parts),
            String::from_utf8_lossy(&whole),
            "cut after line {cut}"
        );
    }
}

/// A line that is alone on an open pipe is answered at once.
pub fn one_line_in_is_one_line_out(case: &Case) {
    let scene = case.scene();
    let mut child = spawn(&scene, &["-q"]);
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let odd = "{\"schema\":\"audio/7\"}\n";
    for _ in 0..3 {
        stdin.write_all(odd.as_bytes()).unwrap();
        stdin.flush().unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert_eq!(line, odd);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// A run that was killed goes on to the bytes of a clean one, and refuses other arguments.
pub fn a_killed_run_is_resumed(case: &Case) {
    let scene = case.scene();
    let rounds = 6;
    let input = scene.input.repeat(rounds);
    let clean = scene
        .run(&["--rejects", "clean.rejects"], input.as_bytes())
        .expect(case.status);
    let flags = ["-q", "-o", "out", "--rejects", "out.rejects"];
    let mut child = spawn(&scene, &flags);
    let mut stdin = child.stdin.take().unwrap();
    // Part by part, until the journal says that something is on disk.
    let patience = Instant::now() + PATIENCE;
    let mut parts = std::iter::repeat_n(scene.input.as_str(), rounds - 1);
    while !scene.path("out.part.state").exists() {
        if let Some(part) = parts.next() {
            stdin.write_all(part.as_bytes()).unwrap();
            stdin.flush().unwrap();
        } else {
            stdin.write_all(b"\n").unwrap();
        }
        thread::sleep(Duration::from_millis(400));
        assert!(Instant::now() < patience, "no journal");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!scene.path("out").exists() && scene.path("out.part").exists());
    // Bytes behind the journal's last word are of a batch that may not be whole.
    File::options()
        .append(true)
        .open(scene.path("out.part"))
        .unwrap()
        .write_all(b"half a li")
        .unwrap();
    let refused = scene.run(&["-o", "out"], input.as_bytes()).expect(&[2]);
    assert!(refused.err.contains("--resume"), "{}", refused.err);
    let other = [&flags[..], &["--resume", "--max-line", "77777777"]].concat();
    let refused = scene.run(&other, input.as_bytes()).expect(&[2]);
    assert!(refused.err.contains("other arguments"), "{}", refused.err);
    let _ = scene
        .run(&[&flags[..], &["--resume"]].concat(), input.as_bytes())
        .expect(case.status);
    assert_eq!(
        String::from_utf8_lossy(&scene.read("out")),
        String::from_utf8_lossy(&clean.out)
    );
    assert_eq!(scene.read("out.rejects"), scene.read("clean.rejects"));
    assert!(!scene.path("out.part.state").exists());
    let _ = scene
        .run(&[&flags[..], &["--resume"]].concat(), input.as_bytes())
        .expect(&[0]);
}

/// A fold has nothing to go on from: `--resume` starts it again, to the bytes of a clean run.
pub fn a_killed_fold_starts_again(case: &Case) {
    let scene = case.scene();
    let clean = scene.run(&[], scene.input.as_bytes()).expect(case.status);
    let mut child = spawn(&scene, &["-q", "-o", "out"]);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(scene.input.as_bytes()).unwrap();
    let patience = Instant::now() + PATIENCE;
    while !scene.path("out.part").exists() {
        thread::sleep(Duration::from_millis(20));
        assert!(Instant::now() < patience, "no output was begun");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stdin);
    let _ = scene
        .run(&["-q", "-o", "out", "--resume"], scene.input.as_bytes())
        .expect(case.status);
    assert_eq!(
        String::from_utf8_lossy(&scene.read("out")),
        String::from_utf8_lossy(&clean.out)
    );
}

fn spawn(scene: &Scene, more: &[&str]) -> Child {
    Command::new(scene.program())
        .args(scene.with(more))
        .current_dir(scene.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the tool with a terminal on all three streams; its exit status and what was on the screen.
fn on_a_terminal(scene: &Scene, arguments: &[&str], stdin: &[u8]) -> (Option<i32>, String) {
    // `script` of util-linux gives its child a terminal of its own.
    let command = std::iter::once(scene.program().to_string_lossy().into_owned())
        .chain(arguments.iter().map(|&argument| argument.to_owned()))
        .collect::<Vec<_>>()
        .join(" ");
    let arguments: Vec<String> = ["-qec", &command, "/dev/null"].map(str::to_owned).into();
    let finished = crate::run("script".as_ref(), &arguments, scene.dir.path(), stdin);
    (
        finished.status,
        String::from_utf8_lossy(&finished.out).into_owned(),
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zst(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).unwrap()
}
