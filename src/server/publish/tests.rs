//! Tests of publications: bounds, merging, expiry, the list, and that none of it is half-done.

use super::*;
use crate::schema::Channel;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const NOW: u64 = 1_700_000_000_000;

fn publication(body: &str) -> Publication {
    parse_json(body.as_bytes(), NOW).unwrap()
}

fn publish(publications: &Publications, lines: &str, now: Instant) -> Result<(), PublishRefusal> {
    publications.publish(parse_json_lines(lines.as_bytes(), NOW).unwrap(), now)
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// The next tick's events by channel, as JSON.
fn sample(publications: &Publications, now: Instant) -> serde_json::Value {
    let sampled = publications.sample(now);
    sampled.iter().map(|sample| (sample.channel.clone(), serde_json::to_value(sample).unwrap())).collect()
}

#[test]
fn publishers_of_a_channel_merge_by_label() {
    let (publications, now) = (Publications::default(), Instant::now());
    publish(&publications, r#"{"channel":"shop","values":{"orders":1,"baskets":2}}"#, now).unwrap();
    publish(&publications, r#"{"channel":"shop","values":{"orders":3}}"#, now).unwrap();
    publish(&publications, r#"{"channel":"shop","values":{"orders":7},"label":"eu"}"#, now).unwrap();
    let expected = serde_json::json!({"shop": {"baskets": 2.0, "orders": 3.0, "labels": {"eu": {"orders": 7.0}}}});
    assert_eq!(sample(&publications, now), expected);
    let list = publications.list().channels.remove(0);
    assert_eq!((list.values, list.labels), (vec!["baskets".to_owned(), "orders".to_owned()], vec!["eu".to_owned()]));
}

#[test]
fn value_expires_and_then_leaves_the_channel() {
    let (publications, start) = (Publications::default(), Instant::now());
    publish(&publications, r#"{"channel":"shop","values":{"orders":1},"label":"eu"}"#, start).unwrap();
    publish(&publications, r#"{"channel":"shop","values":{"orders":1}}"#, start + seconds(30)).unwrap();
    let at = |second| sample(&publications, start + seconds(second))["shop"].clone();
    assert_eq!(at(61), serde_json::json!({"orders": 1.0, "labels": {"eu": {"orders": null}}}));
    assert_eq!(at(121), serde_json::json!({"orders": null}));
    assert_eq!(at(151), serde_json::Value::Null);
    assert!(publications.list().channels.is_empty());
}

#[test]
fn request_that_exceeds_a_bound_is_refused_whole() {
    let limits = PublishLimits { channels: 2, values: 2, series: 3, ..PublishLimits::default() };
    let (publications, now) = (Publications::new(limits), Instant::now());
    publish(&publications, r#"{"channel":"a","values":{"x":1}}"#, now).unwrap();
    let before = sample(&publications, now);
    for (lines, line, reason) in [
        (
            "{\"channel\":\"b\",\"values\":{\"x\":1}}\n{\"channel\":\"c\",\"values\":{\"x\":1}}",
            2,
            RefusalReason::TooManyChannels(2),
        ),
        (r#"{"channel":"a","values":{"x":2,"y":1,"z":1}}"#, 1, RefusalReason::TooManyValues(2)),
        (
            "{\"channel\":\"a\",\"values\":{\"x\":9},\"label\":\"1\"}\n\
             {\"channel\":\"a\",\"values\":{\"x\":9},\"label\":\"2\"}\n\
             {\"channel\":\"a\",\"values\":{\"x\":9},\"label\":\"3\"}",
            3,
            RefusalReason::TooManySeries(3),
        ),
    ] {
        let refusal = publish(&publications, lines, now).unwrap_err();
        assert_eq!((refusal.line, &refusal.reason), (Some(line), &reason));
        assert!(refusal.reason.is_bound());
        assert_eq!(sample(&publications, now), before, "{lines}");
    }
    let full = "{\"channel\":\"b\",\"values\":{\"x\":1}}\n{\"channel\":\"a\",\"values\":{\"x\":1,\"y\":1}}";
    publish(&publications, full, now).unwrap();
    publish(&publications, full, now).unwrap();
}

#[test]
fn room_of_ended_series_is_free_again() {
    let limits = PublishLimits { series: 1, ..PublishLimits::default() };
    let (publications, now) = (Publications::new(limits), Instant::now());
    publish(&publications, r#"{"channel":"a","values":{"x":1}}"#, now).unwrap();
    assert!(publish(&publications, r#"{"channel":"b","values":{"x":1}}"#, now).is_err());
    publications.sample(now + seconds(121));
    publish(&publications, r#"{"channel":"b","values":{"x":1}}"#, now + seconds(121)).unwrap();
    publications.remove(&"b".parse().unwrap());
    publish(&publications, r#"{"channel":"c","values":{"x":1}}"#, now + seconds(121)).unwrap();
}

#[test]
fn version_rises_with_the_list_only() {
    let (publications, now) = (Publications::default(), Instant::now());
    let line = r#"{"channel":"shop","values":{"orders":1}}"#;
    let mut last = publications.version();
    let mut rises = |change: &dyn Fn()| {
        change();
        std::mem::replace(&mut last, publications.version()) < publications.version()
    };
    let name = || "shop".parse::<ChannelName>().unwrap();
    assert!(rises(&|| publish(&publications, line, now).unwrap()));
    assert!(!rises(&|| publish(&publications, line, now).unwrap()));
    assert!(!rises(&|| _ = publications.sample(now)));
    assert!(rises(&|| _ = publications.declare(name(), Channel::undeclared("shop"))));
    assert!(rises(&|| _ = publications.sample(now + seconds(121))));
    assert!(rises(&|| publications.remove(&name())));
    assert!(!rises(&|| publications.remove(&name())));
}

#[test]
fn declared_channel_stays_without_values() {
    let (publications, now) = (Publications::default(), Instant::now());
    let declaration = Channel { title: "Orders".to_owned(), ..Channel::undeclared("shop") };
    assert!(!publications.declare("shop".parse().unwrap(), declaration.clone()));
    assert!(publications.declare("shop".parse().unwrap(), declaration.clone()));
    publish(&publications, r#"{"channel":"shop","values":{"orders":1}}"#, now).unwrap();
    publications.sample(now + seconds(500));
    assert!(publications.sample(now + seconds(501)).is_empty());
    let list = publications.list();
    assert_eq!(list.channels.len(), 1);
    assert_eq!((&list.channels[0].channel, list.channels[0].is_declared), (&declaration, true));
}

#[test]
fn counter_becomes_a_rate() {
    let (publications, start) = (Publications::default(), Instant::now());
    let total = |total: u32| format!("{{\"channel\":\"shop\",\"counters\":{{\"orders\":{total}}}}}");
    publish(&publications, &total(10), start).unwrap();
    let name = "orders_per_second";
    assert!(sample(&publications, start)["shop"][name].is_null());
    publish(&publications, &total(30), start + seconds(2)).unwrap();
    assert_eq!(sample(&publications, start + seconds(2))["shop"][name], 10.0);
    publish(&publications, &total(5), start + seconds(3)).unwrap();
    assert!(sample(&publications, start + seconds(3))["shop"][name].is_null());
}

proptest! {
    #[test]
    fn event_of_any_publication_is_one_line_of_json(label in "[^\\p{Cc}]{1,32}", value in any::<i32>()) {
        let body = serde_json::json!({"channel": "shop", "values": {"orders": value}, "label": label});
        let (publications, now) = (Publications::default(), Instant::now());
        publications.publish(vec![publication(&body.to_string())], now).unwrap();
        let event = serde_json::to_string(&publications.sample(now)[0]).unwrap();
        prop_assert!(!event.contains(['\n', '\r']));
        let event: serde_json::Value = serde_json::from_str(&event).unwrap();
        prop_assert_eq!(event["labels"][&label]["orders"].as_f64(), Some(f64::from(value)));
    }
}
