//! The connection to a relay, kept up by a task of its own: login, subscriptions, publishing, back-off.
//!
//! A message that is to be published is held until the relay says it has it, and goes out again, the same bytes, over the next connection. Whoever
//! stops waiting for it takes it back. What comes in is acknowledged, each text once, and handed on as it is; opening it is the receiver's affair.

mod task;

use super::{ConnectConfig, ConnectError, ConnectProgress, Surroundings, envelope::Topic, identity::Identity, wire::Kind};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

/// Deliveries and calls that may wait; more are left to the relay.
const QUEUE: usize = 64;

/// A message on one of our topics.
pub(super) struct Delivery {
    pub(super) topic: Topic,
    pub(super) envelope: String,
}

/// A message of ours.
#[derive(Debug, Clone)]
pub(super) struct Publication {
    pub(super) topic: Topic,
    pub(super) envelope: String,
    pub(super) kind: Kind,
}

enum Command {
    Subscribe { topic: Topic, done: oneshot::Sender<()> },
    Unsubscribe { topic: Topic },
    Publish { publication: Publication, done: Option<oneshot::Sender<Result<(), ConnectError>>> },
}

/// What the task last met.
#[derive(Debug, Clone)]
enum Condition {
    Trying { trouble: Option<String> },
    Online,
    Refused { reason: String },
}

/// A relay that is kept connected. Dropping it closes the connection.
pub(super) struct Relay {
    commands: mpsc::Sender<Command>,
    condition: watch::Receiver<Condition>,
    reach: Duration,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// Starts connecting; what arrives on subscribed topics comes out of the receiver.
    pub(super) fn start(
        config: &ConnectConfig,
        identity: Identity,
        around: Surroundings,
        progress: Arc<watch::Sender<ConnectProgress>>,
    ) -> (Self, mpsc::Receiver<Delivery>) {
        let (commands, taken) = mpsc::channel(QUEUE);
        let (deliver, deliveries) = mpsc::channel(QUEUE);
        let (say, condition) = watch::channel(Condition::Trying { trouble: None });
        let line = task::Line::new(config.clone(), identity, around, task::Ends { commands: taken, deliver, say, progress });
        let task = tokio::spawn(line.run());
        (Self { commands, condition, reach: config.patience().reach, task }, deliveries)
    }

    /// Subscribes and waits for the relay's word.
    pub(super) async fn subscribe(&self, topic: Topic) -> Result<(), ConnectError> {
        let (done, answered) = oneshot::channel();
        self.tell(Command::Subscribe { topic, done }).await?;
        self.unless_refused(async { answered.await.map_err(|_| self.trouble()) }).await
    }

    /// Stops listening; nothing waits for it.
    pub(super) fn unsubscribe(&self, topic: Topic) {
        // A full queue means a relay that hears nothing anyway; what still comes is dropped by the receiver.
        let _ = self.commands.try_send(Command::Unsubscribe { topic });
    }

    /// Publishes and waits for the relay's word. Giving up takes the message back, unless the relay has it already.
    pub(super) async fn publish(&self, publication: Publication) -> Result<(), ConnectError> {
        let (done, answered) = oneshot::channel();
        self.tell(Command::Publish { publication, done: Some(done) }).await?;
        self.unless_refused(async { answered.await.map_err(|_| self.trouble())? }).await
    }

    /// Publishes without waiting: for answers to the other side.
    pub(super) fn post(&self, publication: Publication) {
        // The other side asks again when an answer is lost.
        let _ = self.commands.try_send(Command::Publish { publication, done: None });
    }

    /// What to say when the relay is not to be had.
    pub(super) fn trouble(&self) -> ConnectError {
        match &*self.condition.borrow() {
            Condition::Refused { reason } => ConnectError::RelayRefused { reason: reason.clone() },
            Condition::Trying { trouble: Some(trouble) } => ConnectError::RelayUnreachable { reason: trouble.clone() },
            Condition::Trying { trouble: None } | Condition::Online => {
                ConnectError::RelayUnreachable { reason: "no answer before the deadline".into() }
            }
        }
    }

    async fn tell(&self, command: Command) -> Result<(), ConnectError> {
        match timeout(self.reach, self.commands.send(command)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(self.trouble()),
        }
    }

    /// Waits until the deadline, or until the relay refuses this project for good.
    async fn unless_refused<T>(&self, wait: impl Future<Output = Result<T, ConnectError>>) -> Result<T, ConnectError> {
        let mut condition = self.condition.clone();
        let refused = async {
            // The sender ends with the task, which ends when the relay refuses.
            let _ = condition.wait_for(|now| matches!(now, Condition::Refused { .. })).await;
        };
        tokio::select! {
            biased;
            answered = timeout(self.reach, wait) => answered.unwrap_or_else(|_| Err(self.trouble())),
            () = refused => Err(self.trouble()),
        }
    }
}
