//! Benchmarks queries of a history of 30 days with 500 series, which it makes first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark that panics has failed"
)]

mod server;

use hostbeat::server::{HistoryImport, store::DataOptions};
use server::{Server, hostbeat};
use std::{
    fs,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

const SERIES: u64 = 500;
const DAYS: u64 = 30;
const DAY_MS: u64 = 86_400_000;
/// Queries of each kind.
const QUERIES: u64 = 40;

/// Milliseconds that 95 % of the queries may take.
const MONTH_BUDGET: f64 = 20.0;
const DAY_BUDGET: f64 = 150.0;
const ZOOM_BUDGET: f64 = 30.0;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64 / 1000 * 1000;
    let started = Instant::now();
    fill(&DataOptions { data: Some(folder.path().to_owned()) }, now);
    let bytes = fs::metadata(folder.path().join("history.db")).unwrap().len();
    let samples = (SERIES * DAYS * DAY_MS / 1000) as f64;
    println!(
        "made {DAYS} days of {SERIES} series in {:.0} s: {:.2} bytes a sample",
        started.elapsed().as_secs_f64(),
        bytes as f64 / samples
    );

    let mut command = hostbeat();
    command.env("HOSTBEAT_HISTORY", "30d").args(["--data", folder.path().to_str().unwrap()]);
    let server = Server::start(command);
    let time = |query: &dyn Fn(u64) -> String| {
        let mut times: Vec<_> = (0..QUERIES).map(|n| ask(&server, &query(n))).collect();
        times.sort_by(f64::total_cmp);
        times[(QUERIES * 95 / 100) as usize]
    };
    let month = time(&|n| format!("series={}&from={}&to={now}&points=1000", path(n * 7 % SERIES), now - DAYS * DAY_MS));
    let paths = |n: u64| (0..40).map(|offset| path((n * 11 + offset) % SERIES)).collect::<Vec<_>>().join(",");
    let day = time(&|n| {
        let to = now - n * DAY_MS / 2;
        format!("series={}&from={}&to={to}&points=1000", paths(n), to - DAY_MS)
    });
    let zoom = time(&|n| {
        let to = now - n * DAY_MS / 2;
        format!("series={}&from={}&to={to}&points=1000", paths(n), to - 600_000)
    });
    println!("one series over 30 days in 1000 points: p95 {month:.1} ms (budget {MONTH_BUDGET})");
    println!("40 series over 24 hours: p95 {day:.1} ms (budget {DAY_BUDGET})");
    println!("40 series over 10 minutes at 1 s: p95 {zoom:.1} ms (budget {ZOOM_BUDGET})");
    assert!(month <= MONTH_BUDGET && day <= DAY_BUDGET && zoom <= ZOOM_BUDGET, "over the budget");
}

fn path(series: u64) -> String {
    format!("bench.value_{series}")
}

/// Records series of which some are constant, some walk at random in hundredths, and some count.
fn fill(data: &DataOptions, now: u64) {
    let mut history = HistoryImport::open(data).unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let mut walks = vec![5_000i64; SERIES as usize];
    for hour in (now - DAYS * DAY_MS..now).step_by(3_600_000) {
        for series in 0..SERIES {
            let (path, walk) = (path(series), &mut walks[series as usize]);
            for t in (hour..now.min(hour + 3_600_000)).step_by(1000) {
                let value = match series % 5 {
                    0 | 1 => series as f64,
                    2 | 3 => {
                        *walk = (*walk + random.i64(-50..=50)).clamp(0, 10_000);
                        *walk as f64 / 100.0
                    }
                    _ => (random.u32(..40).pow(2) * 512).into(),
                };
                history.add(&path, t, value).unwrap();
            }
        }
    }
    history.finish().unwrap();
}

/// Milliseconds of a query.
fn ask(server: &Server, query: &str) -> f64 {
    let started = Instant::now();
    let mut response = ureq::get(format!("http://{}/api/history?{query}", server.address)).call().unwrap();
    let body = response.body_mut().with_config().limit(1 << 30).read_to_string().unwrap();
    let elapsed = started.elapsed().as_secs_f64() * 1000.0;
    assert!(body.contains("\"mean\":["), "{query}: {}", &body[..body.len().min(200)]);
    elapsed
}
