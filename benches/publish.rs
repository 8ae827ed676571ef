//! Benchmarks what published values cost a tick: 1,000 series that 20 publishers send ten times a second.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that panics has failed")]

use hostbeat::server::publish::{Publications, parse_json};
use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

const PUBLISHERS: usize = 20;
/// Series of each publisher.
const SERIES: usize = 50;
/// Between two requests of a publisher.
const INTERVAL: Duration = Duration::from_millis(100);
const TICKS: usize = 20;
const TICK: Duration = Duration::from_millis(500);
/// Milliseconds that the values of a tick may take, waiting for publishers included.
const BUDGET: f64 = 0.5;

fn main() {
    let publications = Arc::new(Publications::default());
    let mut parse_ms = Vec::new();
    for publisher in 0..PUBLISHERS {
        let body = body(publisher);
        let started = Instant::now();
        let parsed = parse_json(body.as_bytes(), 0).unwrap();
        parse_ms.push(started.elapsed().as_secs_f64() * 1000.0);
        publications.publish(vec![parsed], Instant::now()).unwrap();
        let publications = Arc::clone(&publications);
        thread::spawn(move || {
            loop {
                let parsed = parse_json(body.as_bytes(), 0).unwrap();
                publications.publish(vec![parsed], Instant::now()).unwrap();
                thread::sleep(INTERVAL);
            }
        });
    }
    let mut sample_ms: Vec<_> = (0..TICKS)
        .map(|_| {
            thread::sleep(TICK);
            let started = Instant::now();
            let sampled = publications.sample(started);
            let elapsed = started.elapsed().as_secs_f64() * 1000.0;
            assert_eq!(sampled.iter().map(|channel| channel.values.len()).sum::<usize>(), PUBLISHERS * SERIES);
            elapsed
        })
        .collect();
    let (median, worst) = (median(&mut sample_ms), sample_ms[TICKS - 1]);
    println!("published values of a tick, {} series: median {median:.3} ms, worst {worst:.3} ms", PUBLISHERS * SERIES);
    println!("a request with {SERIES} values: {:.3} ms", self::median(&mut parse_ms));
    assert!(median < BUDGET, "over the budget of {BUDGET} ms");
}

fn body(publisher: usize) -> String {
    let values: Vec<_> = (0..SERIES).map(|value| format!("\"value_{value}\":{value}.5")).collect();
    format!("{{\"channel\":\"bench_{publisher}\",\"values\":{{{}}}}}", values.join(","))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
