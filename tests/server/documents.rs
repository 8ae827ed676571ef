//! What the documents tell to type does what they say.

use super::support::{Running, root};
use std::{fs, process::Command};

/// The commands in a document's shell examples that ask a running server.
fn requests(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root(document)).unwrap();
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.flat_map(str::lines).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

#[test]
fn every_request_in_the_documents_is_answered() {
    let server = Running::start();
    let mut seen = 0;
    for document in ["README.md", "docs/stream.md", "docs/operations.md"] {
        for request in requests(document) {
            // A stream would go on for ever: curl says 28 when its time is over.
            let command = request.replace("127.0.0.1:3000", &server.address.to_string());
            let output = Command::new("sh")
                .args(["-c", &format!("{command} --silent --show-error --max-time 3")])
                .output()
                .unwrap();
            let answer = String::from_utf8_lossy(&output.stdout);
            let expected = match () {
                () if request.contains("/api/stream") => "event: cpu\n",
                () if request.contains("/api/snapshot") => "{\"id\":",
                () => "\n",
            };
            assert!(
                answer.contains(expected),
                "{document}: {request}: {answer} {}",
                String::from_utf8_lossy(&output.stderr)
            );
            seen += 1;
        }
    }
    assert!(seen >= 4, "only {seen} examples were found");
}
