//! Peers that leave without a word, at every step: the next one is served all the same.

use super::process::{Process, noise, pair};
use super::stranger::Stranger;
use serde_json::json;
use std::net::UdpSocket;
use std::time::Duration;

/// What is no packet, and what begins like the first one of a connection.
fn throw(process: &Process, seed: u64) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = process.start["addresses"][0].as_str().unwrap();
    for (length, first) in [(1, 0), (20, 0x40), (1_200, 0xc0), (1_200, 0xff), (1_472, 0x80)] {
        let mut packet = noise(length, seed);
        packet[0] = first;
        if length > 1_000 {
            packet[1..5].copy_from_slice(&1_u32.to_be_bytes());
        }
        socket.send_to(&packet, to).unwrap();
    }
}

#[test]
fn f14_no_abrupt_end_of_others_stops_the_accept_loop() {
    let (folder, mut sender, mut receiver) = pair();
    let bytes = noise(3_000_000, 1);
    std::fs::write(folder.join("f"), &bytes).unwrap();
    let guests: Vec<Stranger> = (100..124).map(Stranger::new).collect();
    let mut peers: Vec<String> = guests.iter().map(Stranger::id).collect();
    peers.push(receiver.id());
    let files = sender.share("s", &folder.join("f"), &peers);
    let hash = files[0]["hash"].as_str().unwrap();
    for (index, guest) in guests.into_iter().enumerate() {
        throw(&sender, index as u64);
        match index % 4 {
            0 => guest.leave(&sender, hash, None),
            1 => guest.leave(&sender, hash, Some(0)),
            2 => guest.leave(&sender, hash, Some(u32::MAX >> 2)),
            _ => guest.leave_early(&sender, Duration::from_millis(index as u64 / 4)),
        }
    }
    // Nobody of the list, also in a hurry.
    for seed in 130..140 {
        Stranger::new(seed).leave_early(&sender, Duration::from_millis(u64::from(seed) % 5));
    }
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["state"], "done", "{end}");
    assert!(std::fs::read(folder.join("in/f")).unwrap() == bytes);
}

#[test]
fn f14_receivers_that_are_killed_again_and_again_leave_the_sender_as_it_was() {
    let (folder, mut sender, mut receiver) = pair();
    std::fs::write(folder.join("f"), noise(20_000_000, 2)).unwrap();
    for round in 0..6 {
        let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
        let job = json!({ "do": "fetch", "job": "j", "files": files, "into": folder.join("in"), "providers": [sender.provider()], "maxRate": 10_000_000 });
        receiver.ask(job).unwrap();
        receiver.progress("j", 0.1 + f64::from(round) / 10.0);
        receiver.kill();
        receiver = Process::start(&folder.join("receiver"));
    }
    let files = sender.share("s", &folder.join("f"), &[receiver.id()]);
    let end = receiver.fetch("j", &files, &folder.join("in"), &[sender.provider()]);
    assert_eq!(end["state"], "done", "{end}");
}
