//! What is counted on the way in, and how the status tells it.

use firsthand::{
    cli::{args, screen::Screen, status},
    model::Clock,
    store::{WriteLock, candidates::BEARERS_AT_EACH_END},
};

use super::stage::Stage;
use crate::lock::on_both_strategies;

async fn crowded_posts_are_counted_and_told<L: WriteLock>() {
    let stage = Stage::<L>::new().await;
    let text = "Sold out again: the last boat to the lighthouse this evening";
    let copies = 2 * BEARERS_AT_EACH_END + 3;
    let posts: Vec<_> = (1..=copies).map(|id| stage.post(&id.to_string(), &format!("fan_{id}"), text)).collect();
    for page in posts.chunks(50) {
        stage.page(page.to_vec()).await;
    }
    let show = async |json| {
        let mut out = Vec::new();
        let now = stage.clock.now();
        status::run(&args::Status { json }, &stage.store, now, &Screen::plain(120), &mut out).await.unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    };
    let json: serde_json::Value = serde_json::from_str(&show(true).await).unwrap();
    // Those that find as many bearers as are looked at, and so don't know whether there are more.
    assert_eq!(json["crowded"], 3);
    assert_eq!(json["received"], copies);
    let text = show(false).await;
    let line = text.lines().find(|line| line.trim_start().starts_with("crowded")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[..4], ["crowded", "3", "too", "many"], "{line}");
    stage.store.close().await.unwrap();
}

on_both_strategies! { crowded_posts_are_counted_and_told }
