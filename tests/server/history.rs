//! Tests of the history: what a restart continues from, and what queries answer.

use super::{
    server_process::{ServerProcess, hostbeat},
    support::{json, open_stream, request, wait_until},
};
use hostbeat::units::Unit;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A server that keeps a history in `folder` and commits it every second.
fn start(folder: &Path) -> ServerProcess {
    start_with(folder, &[])
}

fn start_with(folder: &Path, arguments: &[&str]) -> ServerProcess {
    let of_history =
        ["--listen", "127.0.0.1:0", "--data", folder.to_str().unwrap(), "--history", "30d", "--history-commit", "1s"];
    ServerProcess::start(hostbeat(&[&of_history, arguments].concat()))
}

/// The answer to a query.
fn ask(server: &ServerProcess, query: &str) -> Value {
    let (status, _, answer) = request(&server.address, "GET", &format!("/api/history?{query}"), "", "");
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The values of a series by second.
fn by_second(answer: &Value, path: &str) -> BTreeMap<u64, f64> {
    let (t0, step) = (answer["t0"].as_u64().unwrap(), answer["step_ms"].as_u64().unwrap());
    let values = answer["series"][path]["mean"].as_array().cloned().unwrap_or_default();
    let seconds = (0..).map(|index| t0 + index * step).zip(values);
    seconds.filter_map(|(t, value)| Some((t, value.as_f64()?))).collect()
}

#[cfg(unix)]
#[test]
fn restart_resumes_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path());
    let stream = open_stream(&server.address, "", &[]);
    let (sender, seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let events =
            stream.filter(|event| event.event != "heartbeat").inspect(|event| sender.send(event.id.clone()).unwrap());
        events.collect::<Vec<_>>()
    });
    // At least three complete ticks after the window.
    seen.iter().filter(|id| id.contains("-2-")).nth(3).unwrap();
    server.terminate();
    assert!(server.wait().success());
    let before = reader.join().unwrap();
    let [_, window, ticks @ .., shutdown] = &before[..] else { panic!("{before:?}") };
    assert_eq!((&*window.event, &*shutdown.event), ("window", "shutdown"));

    let server = start(folder.path());
    let resumed = open_stream(&server.address, "", &[("last-event-id", &window.id)]);
    let mut resumed = resumed.skip_while(|event| event.event == "hello");
    for event in ticks {
        assert_eq!(resumed.next().as_ref(), Some(event));
    }
    let last = ticks.last().unwrap();
    let newer = resumed.next().unwrap();
    assert!(newer.event == "cpu" && newer.id > last.id, "{newer:?} after {last:?}");
}

#[cfg(unix)]
#[test]
fn killed_server_loses_no_more_than_the_last_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut known: BTreeMap<u64, f64> = BTreeMap::new();
    let mut ids = Vec::new();
    for _ in 0..5 {
        let mut server = start(folder.path());
        let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
        let mut sent = Vec::new();
        while sent.len() < 5 {
            let event = stream.next_with_id();
            let cpu = json(&event);
            sent.extend(cpu["total_percent"].as_f64().map(|percent| (cpu["t"].as_u64().unwrap(), percent)));
            ids.push(event.id);
        }
        server.kill();
        // Commits are a second apart, so all but the newest ticks are on the disk.
        known.extend(sent[..2].iter().copied());
    }
    let server = start(folder.path());
    let (from, to) = (known.first_key_value().unwrap().0, known.last_key_value().unwrap().0);
    let kept = by_second(&ask(&server, &format!("series=cpu.total_percent&from={from}&to={to}")), "cpu.total_percent");
    for (t, percent) in &known {
        assert_eq!(kept.get(t), Some(percent), "{t}");
    }
    let start_after = |id: &str| json(&open_stream(&server.address, "", &[("last-event-id", id)]).next().unwrap());
    assert_eq!(start_after(&ids[0])["start"], "replay");
}

#[test]
fn query_answers_in_each_format_and_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let mut answer = Value::Null;
    wait_until("there are samples", || {
        answer = ask(&server, "series=cpu.total_percent,memory.*");
        by_second(&answer, "cpu.total_percent").len() > 1
    });
    assert_eq!((&answer["tier"], &answer["step_ms"]), (&"1s".into(), &4000.into()), "an hour in 1000 points");
    let memory = &answer["series"]["memory.total_bytes"];
    let lengths = ["min", "mean", "max"].map(|values| memory[values].as_array().unwrap().len());
    assert_eq!(lengths, [answer["n"].as_u64().unwrap() as usize; 3]);
    let read = |accept: &str| {
        let url = format!("http://{}/api/history?series=cpu.total_percent&points=60", server.address);
        let mut response = ureq::get(url).header("accept", accept).call().unwrap();
        (response.headers()["content-type"].clone(), response.body_mut().read_to_string().unwrap())
    };
    let (content_type, csv) = read("text/csv");
    assert_eq!(content_type, "text/csv; charset=utf-8");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("t,series,mean,min,max,count"));
    assert_eq!(lines.next().unwrap().split(',').count(), 6);
    let (_, lines) = read("application/x-ndjson");
    let line: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(line["series"], "cpu.total_percent");
    for (query, reason) in
        [("", "series="), ("series=cpu.*&from=noon", "ISO 8601"), ("series=*&points=10000", "fewer points")]
    {
        let (status, _, problem) = request(&server.address, "GET", &format!("/api/history?{query}"), "", "");
        assert_eq!(status, 400, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(reason), "{query}: {problem}");
    }
    assert_eq!(ask(&server, "series=cpu.unknown")["series"], serde_json::json!({}));
    // A range of thousands of years costs no more than what there is.
    let all = ask(&server, "series=cpu.total_percent&from=0&to=253402300799999&points=10");
    assert_eq!(all["series"]["cpu.total_percent"]["mean"].as_array().unwrap().len() as u64, all["n"].as_u64().unwrap());
    assert_eq!(by_second(&all, "cpu.total_percent").len(), 1, "{all}");
}

#[test]
fn page_and_chart_of_a_range_have_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path());
    let mut answer = Value::Null;
    wait_until("there are samples", || {
        answer = ask(&server, "series=cpu.total_percent&points=10000");
        by_second(&answer, "cpu.total_percent").len() > 2
    });
    let values = by_second(&answer, "cpu.total_percent");
    let (&second, &percent) = values.iter().nth(1).unwrap();
    let (percent, _) = Unit::Percent.number_and_symbol(Some(percent));
    let read = |path: &str| {
        let url = format!("http://{}{path}", server.address);
        let mut response = ureq::get(url).call().unwrap();
        response.body_mut().read_to_string().unwrap()
    };
    let page = read(&format!("/?from={}&to={second}", second - 60_000));
    let figure = format!("<span id=\"cpu-figure\"><b>{percent}</b>");
    assert!(page.contains(&figure) && page.contains("at every second"), "{figure} in {page}");
    let later = read(&format!("/?from={}&to={}&at={second}&only=values", second - 60_000, second + 600_000));
    assert!(later.contains(&figure), "{figure} in {later}");
    assert!(later.len() < page.len(), "without charts");
    let image = read(&format!("/chart/cpu.svg?from={}&to={second}", second - 60_000));
    assert!(image.contains(&format!(">CPU {percent} %<")), "{image}");
    let live = read("/");
    assert!(live.contains("href=\"?range=24h\""), "{live}");
}

#[test]
fn server_without_history_says_so() {
    let server = ServerProcess::start(hostbeat(&["--listen", "127.0.0.1:0"]));
    let (status, _, problem) = request(&server.address, "GET", "/api/history?series=cpu.*", "", "");
    assert_eq!(status, 503);
    assert!(problem["detail"].as_str().unwrap().contains("--history off"), "{problem}");
    let page = ureq::get(format!("http://{}/?range=24h", server.address)).config().http_status_as_error(false).build();
    let page = page.call().unwrap().into_body().read_to_string().unwrap();
    assert!(page.contains("keeps no history"), "{page}");
}

#[cfg(unix)]
#[test]
fn damaged_history_is_kept_and_the_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("history.db"), "no database, but longer than a page\n".repeat(200)).unwrap();
    let server = start(folder.path());
    assert!(server.first_line.contains("the history is damaged"), "{}", server.first_line);
    let names = names(&folder);
    assert!(names.iter().any(|name| name.starts_with("history.db.damaged-")), "{names:?}");
    wait_until("there are samples", || {
        !by_second(&ask(&server, "series=cpu.total_percent"), "cpu.total_percent").is_empty()
    });
}

fn names(folder: &TempDir) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[cfg(unix)]
#[test]
fn server_whose_log_is_closed_stops_cleanly_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--listen", "127.0.0.1:0", "--history", "30d", "--history-commit", "1h", "--data"];
    let mut command = hostbeat(&[&arguments[..], &[folder.path().to_str().unwrap()]].concat());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stderr(writer);
    // The reader of its standard output is dropped once the server has started.
    let mut server = ServerProcess::start(command);
    let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
    let last = stream.next_with_id();
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
    let server = start(folder.path());
    let hello = open_stream(&server.address, "", &[("last-event-id", &last.id)]).next().unwrap();
    assert_eq!(json(&hello)["start"], "replay");
}

#[cfg(target_os = "linux")]
#[test]
fn history_of_a_folder_that_cannot_be_written_leaves_the_server_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    // A file is where the folder would be.
    let below = file.join("data");
    let server = start_with(&below, &[]);
    assert!(server.log.contains("no history is kept"), "{}", server.log);
    let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
    stream.next_with_id();
}

/// Runs a command of the program on the history in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        hostbeat(&[arguments, &["--data", folder.to_str().unwrap()]].concat()).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// A folder with the history of a server that ran for some seconds.
fn recorded() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut server = start(folder.path());
    let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
    (0..3).for_each(|_| _ = stream.next_with_id());
    // Also beside a server that records.
    wait_until("the history has samples", || run(folder.path(), &["export"]).1.contains(",cpu.total_percent,"));
    server.terminate();
    assert!(server.wait().success());
    folder
}

#[test]
fn exported_history_is_imported_as_it_was() {
    let (folder, copy) = (recorded(), tempfile::tempdir().unwrap());
    for format in ["csv", "openmetrics"] {
        let file = copy.path().join(format);
        let export =
            |folder: &Path, arguments: &[&str]| run(folder, &[&["export", "--format", format], arguments].concat());
        let (code, exported) = export(folder.path(), &[]);
        assert_eq!(code, Some(0), "{exported}");
        assert_eq!(export(folder.path(), &["--output", file.to_str().unwrap()]), (Some(0), String::new()));
        assert_eq!(fs::read_to_string(&file).unwrap(), exported);
        let imported = tempfile::tempdir().unwrap();
        assert_eq!(run(imported.path(), &["import", file.to_str().unwrap()]), (Some(0), String::new()));
        assert_eq!(export(imported.path(), &[]).1, exported);
        let (_, some) = export(folder.path(), &["--series", "cpu.*,memory.used_bytes"]);
        let is_wanted = |line: &str| ["cpu.", "memory.used_bytes", "#", "t,"].iter().any(|part| line.contains(part));
        assert!(some.lines().count() > 5 && some.lines().all(is_wanted), "{some}");
        assert_eq!(export(folder.path(), &["--to", "2001-01-01"]).1.lines().filter(|line| is_sample(line)).count(), 0);
    }
    let file = copy.path().join("wrong");
    fs::write(&file, "t,series,value\n1000,cpu.total_percent,much\n").unwrap();
    let (code, output) = run(copy.path(), &["import", file.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(output.contains("line 2") && output.contains("1764043920000,cpu.total_percent,3.5"), "{output}");
}

fn is_sample(line: &str) -> bool {
    !line.starts_with(['#', 't'])
}

#[cfg(target_os = "linux")]
#[test]
fn prometheus_makes_blocks_of_an_export() {
    let (folder, blocks) = (recorded(), tempfile::tempdir().unwrap());
    let file = blocks.path().join("export");
    let (code, output) = run(folder.path(), &["export", "--format", "openmetrics", "--output", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{output}");
    let output = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", file.to_str().unwrap()])
        .arg(blocks.path().join("data"))
        .output()
        .expect("promtool is installed; `make test` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made = fs::read_dir(blocks.path().join("data")).unwrap().count();
    assert!(made > 0, "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn import_beside_a_running_server_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _server = start(folder.path());
    let (code, output) = run(folder.path(), &["import"]);
    assert_eq!(code, Some(2));
    assert!(output.contains("another server uses"), "{output}");
}

/// The program whose data folder is a small disk of its own, in a mount namespace, with a file of `filled` KiB.
#[cfg(target_os = "linux")]
fn on_small_disk(folder: &Path, filled: usize) -> ServerProcess {
    let script = format!(
        "mount -t tmpfs -o size=3m,mode=700 tmpfs \"$0\"; head -c {filled}K /dev/zero >\"$0/filler\" || true; exec \"$@\""
    );
    let program = hostbeat(&[]);
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-ec", &script]).arg(folder).arg(program.get_program());
    command.args(["--listen", "127.0.0.1:0", "--history", "30d", "--history-commit", "1s", "--data"]).arg(folder);
    command.stdout(std::process::Stdio::piped());
    ServerProcess::start(command)
}

/// What is exported of a small disk.
#[cfg(target_os = "linux")]
fn exported(server: &ServerProcess, folder: &Path) -> String {
    let (disk, copy) = (on_disk(server, folder), tempfile::tempdir().unwrap());
    for name in ["history.db", "history.db-wal"] {
        // The second may be missing.
        let _ = fs::copy(disk.join(name), copy.path().join(name));
    }
    run(copy.path(), &["export", "--series", "cpu.total_percent"]).1
}

/// The folder of a server with a small disk, from outside.
#[cfg(target_os = "linux")]
fn on_disk(server: &ServerProcess, folder: &Path) -> PathBuf {
    format!("/proc/{}/root{}", server.id(), folder.display()).into()
}

#[cfg(target_os = "linux")]
fn is_recorded(server: &ServerProcess) -> bool {
    let mut metrics = ureq::get(format!("http://{}/metrics", server.address)).call().unwrap();
    metrics.body_mut().read_to_string().unwrap().contains("\nhostbeat_history_recorded 1\n")
}

#[cfg(target_os = "linux")]
#[test]
fn start_on_a_full_disk_records_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let server = on_small_disk(folder.path(), 4096);
    assert!(server.log.contains("no history is kept"), "{}", server.log);
    let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
    let first = json(&stream.next_with_id());
    wait_until("the state is visible", || !is_recorded(&server));
    fs::remove_file(on_disk(&server, folder.path()).join("filler")).unwrap();
    wait_until("the history is recorded", || is_recorded(&server));
    let t = first["t"].as_u64().unwrap();
    wait_until("the file has the first second", || {
        exported(&server, folder.path()).contains(&format!("{t},cpu.total_percent,"))
    });
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_stops_the_recording_and_room_continues_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = on_small_disk(folder.path(), 0);
    let get = |path: &str| {
        ureq::get(format!("http://{}{path}", server.address)).call().unwrap().body_mut().read_to_string().unwrap()
    };
    let is_recorded = || is_recorded(&server);
    let unrecorded = || -> Option<Value> {
        let annotations: Value = serde_json::from_str(&get("/api/annotations")).unwrap();
        let all = annotations["annotations"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|annotation| annotation["title"] == "The history is not recorded")
    };
    let mut stream = open_stream(&server.address, "?events=cpu&window=0", &[]);
    let mut sample = || {
        let cpu = json(&stream.next_with_id());
        (cpu["t"].as_u64().unwrap(), cpu["total_percent"].as_f64())
    };
    wait_until("the history is recorded", is_recorded);
    let mut sent = vec![sample(), sample()];

    let filler = on_disk(&server, folder.path()).join("filler");
    let full = fs::write(&filler, vec![1; 4 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    wait_until("the disk is full", || !is_recorded());
    wait_until("it is annotated", || unrecorded().is_some());
    assert!(unrecorded().unwrap()["text"].as_str().unwrap().contains("full"), "{:?}", unrecorded());
    assert_eq!(ureq::get(format!("http://{}/readyz", server.address)).call().unwrap().status(), 200);
    // Seconds that are not recorded are sent, and others are answered.
    sent.extend([sample(), sample(), sample()]);
    assert!(!ask(&server, "series=cpu.total_percent")["series"].as_object().unwrap().is_empty());
    assert!(!is_recorded() && unrecorded().unwrap()["until"].is_null());

    fs::remove_file(&filler).unwrap();
    wait_until("the history is recorded again", is_recorded);
    wait_until("its end is noted", || unrecorded().is_some_and(|annotation| annotation["until"].is_u64()));
    sent.push(sample());
    wait_until("the newest second is recorded", || {
        let exported = exported(&server, folder.path());
        let kept: BTreeMap<u64, f64> = exported
            .lines()
            .filter_map(|line| {
                let mut fields = line.split(',');
                Some((fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?))
            })
            .collect();
        sent.iter().all(|(t, percent)| percent.is_none() || kept.get(t) == percent.as_ref())
    });
}

#[cfg(unix)]
#[test]
fn damaged_page_is_reported_and_the_rest_is_answered() {
    let folder = recorded();
    let file = folder.path().join("history.db");
    let samples =
        |server: &ServerProcess, path: &str| by_second(&ask(server, &format!("series={path}&points=4000")), path);
    let mut server = start(folder.path());
    let before = samples(&server, "memory.used_bytes");
    assert!(!before.is_empty());
    server.terminate();
    assert!(server.wait().success());
    // Checkpoints the write-ahead log.
    assert_eq!(run(folder.path(), &["import"]).0, Some(0));
    let mut bytes = fs::read(&file).unwrap();
    // The header, and where the tables are.
    bytes[..4096].fill(0x55);
    fs::write(&file, bytes).unwrap();
    let server = start(folder.path());
    assert!(server.log.contains("the history is damaged"), "{}", server.log);
    let after = samples(&server, "memory.used_bytes");
    assert!(before.iter().all(|(t, value)| after.get(t) == Some(value)), "{before:?}, {after:?}");
    assert!(names(&folder).iter().any(|name| name.starts_with("history.db.damaged-")));
}
