//! How often a caller may ask, and how often guess.
//!
//! Secure Keys and claim secrets have 256 bits, so no number of guesses finds one. What the limits keep up is the service for everybody
//! else, and an operator's token that was chosen by hand. Hence: a right credential costs nothing of what is left for wrong ones; where
//! none is left, everybody at that address waits, but never longer than one refill, and addresses that are exempt never do.

mod address;
mod table;

pub use address::{Network, NetworkError};

use governor::Quota;
use governor::clock::{Clock, DefaultClock};
use std::net::IpAddr;
use std::num::NonZeroU32;
use table::Keyed;

/// Callers that are counted at one time; past them a new one is not counted. Some 5 MB a limit.
const TRACKED_MAX: usize = 65_536;

/// So many at once, then so many a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: NonZeroU32,
    per_minute: NonZeroU32,
}

impl Rate {
    /// `None`, which is no limit, when either is zero.
    #[must_use]
    pub fn new(burst: u32, per_minute: u32) -> Option<Self> {
        Some(Self { burst: NonZeroU32::new(burst)?, per_minute: NonZeroU32::new(per_minute)? })
    }

    /// So many at once.
    #[must_use]
    pub fn burst(self) -> u32 {
        self.burst.get()
    }

    /// So many a minute after that.
    #[must_use]
    pub fn per_minute(self) -> u32 {
        self.per_minute.get()
    }

    fn quota(self) -> Quota {
        Quota::per_minute(self.per_minute).allow_burst(self.burst)
    }
}

/// What is limited, and for whom. A rate that is `None` limits nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitConfig {
    /// Wrong Secure Keys, operator's tokens and claim secrets from one address.
    pub failed_credentials: Option<Rate>,
    /// Calls from one address. The operator's are not counted.
    pub address_requests: Option<Rate>,
    /// Calls with one Secure Key.
    pub credential_requests: Option<Rate>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Addresses that no limit holds for: the gateway's.
    pub exempt: Vec<Network>,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Wrong credentials from one address.
    FailedCredentials,
    /// Calls from one address.
    Address,
    /// Calls with one Secure Key.
    Credential,
}

/// A limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Which.
    pub limit: Limit,
    /// After how many whole seconds one more is let through; at least 1.
    pub seconds: u64,
}

/// A caller as the limits know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The network address.
    pub address: IpAddr,
    counted_as: Option<IpAddr>,
}

/// The counts.
pub struct Limits<C: Clock + Clone = DefaultClock> {
    failed_credentials: Option<Keyed<IpAddr, C>>,
    address_requests: Option<Keyed<IpAddr, C>>,
    credential_requests: Option<Keyed<[u8; 32], C>>,
    trusted_proxies: Vec<Network>,
    exempt: Vec<Network>,
}

impl Limits {
    /// Begins to count.
    #[must_use]
    pub fn new(config: LimitConfig) -> Self {
        Self::with_clock(config, &DefaultClock::default(), TRACKED_MAX)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(config: LimitConfig, clock: &C, tracked_max: usize) -> Self {
        Self {
            failed_credentials: config.failed_credentials.map(|rate| Keyed::new(rate.quota(), clock, tracked_max)),
            address_requests: config.address_requests.map(|rate| Keyed::new(rate.quota(), clock, tracked_max)),
            credential_requests: config.credential_requests.map(|rate| Keyed::new(rate.quota(), clock, tracked_max)),
            trusted_proxies: config.trusted_proxies,
            exempt: config.exempt,
        }
    }

    /// Names the caller: the peer, or whom trusted proxies name in `X-Forwarded-For`.
    pub fn caller<'a>(&self, peer: IpAddr, forwarded: impl DoubleEndedIterator<Item = &'a str>) -> Caller {
        let address = address::caller(peer, &self.trusted_proxies, forwarded);
        let exempt = self.exempt.iter().any(|network| network.contains(address));
        Caller { address, counted_as: (!exempt).then(|| address::subscriber(address)) }
    }

    /// Whether a peer is a proxy that is believed.
    #[must_use]
    pub fn is_trusted(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(peer))
    }

    /// Counts a call from an address.
    ///
    /// # Errors
    /// [`Wait`] when there were too many.
    pub fn count_request(&self, caller: Caller) -> Result<(), Wait> {
        count(self.address_requests.as_ref(), caller.counted_as, Limit::Address)
    }

    /// Counts a call with a Secure Key, known by the key's hash.
    ///
    /// # Errors
    /// [`Wait`] when there were too many.
    pub fn count_credential(&self, caller: Caller, hash: [u8; 32]) -> Result<(), Wait> {
        count(self.credential_requests.as_ref(), caller.counted_as.map(|_| hash), Limit::Credential)
    }

    /// Asks, without counting, whether a credential from there is looked at.
    ///
    /// # Errors
    /// [`Wait`] when too many were wrong.
    pub fn check_guesses(&self, caller: Caller) -> Result<(), Wait> {
        let (Some(limit), Some(key)) = (&self.failed_credentials, caller.counted_as) else { return Ok(()) };
        limit.look(&key).map_err(|seconds| Wait { limit: Limit::FailedCredentials, seconds })
    }

    /// Counts a wrong credential.
    ///
    /// # Errors
    /// [`Wait`] when it was one too many: whoever sent it is not told whether it was wrong.
    pub fn count_guess(&self, caller: Caller) -> Result<(), Wait> {
        count(self.failed_credentials.as_ref(), caller.counted_as, Limit::FailedCredentials)
    }
}

fn count<K, C>(limit: Option<&Keyed<K, C>>, key: Option<K>, name: Limit) -> Result<(), Wait>
where
    K: Eq + std::hash::Hash + Clone,
    C: Clock + Clone,
{
    let (Some(limit), Some(key)) = (limit, key) else { return Ok(()) };
    limit.count(&key).map_err(|seconds| Wait { limit: name, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use std::time::Duration;

    fn config() -> LimitConfig {
        LimitConfig {
            failed_credentials: Rate::new(10, 10),
            address_requests: Rate::new(3, 60),
            credential_requests: Rate::new(2, 60),
            trusted_proxies: vec![],
            exempt: vec!["10.0.0.0/8".parse().expect("a network")],
        }
    }

    fn limits(clock: &FakeRelativeClock) -> Limits<FakeRelativeClock> {
        Limits::with_clock(config(), clock, 1_000)
    }

    fn caller<C: Clock + Clone>(limits: &Limits<C>, address: &str) -> Caller {
        limits.caller(address.parse().expect("an address"), std::iter::empty())
    }

    fn wait(limit: Limit, seconds: u64) -> Result<(), Wait> {
        Err(Wait { limit, seconds })
    }

    #[test]
    fn ten_guesses_then_one_in_six_seconds() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let guesser = caller(&limits, "192.0.2.1");
        for _ in 0..10 {
            assert_eq!((limits.check_guesses(guesser), limits.count_guess(guesser)), (Ok(()), Ok(())));
        }
        let spent = wait(Limit::FailedCredentials, 6);
        assert_eq!((limits.check_guesses(guesser), limits.count_guess(guesser)), (spent, spent));
        assert_eq!(limits.check_guesses(caller(&limits, "192.0.2.2")), Ok(()), "another address");
        clock.advance(Duration::from_millis(5_999));
        assert_eq!(limits.check_guesses(guesser), wait(Limit::FailedCredentials, 1));
        clock.advance(Duration::from_millis(1));
        for _ in 0..1_000 {
            assert_eq!(limits.check_guesses(guesser), Ok(()), "looking counts nothing, nor does a right credential");
        }
        assert_eq!(limits.count_guess(guesser), Ok(()));
        assert_eq!(limits.check_guesses(guesser), wait(Limit::FailedCredentials, 6));
        clock.advance(Duration::from_secs(60));
        for _ in 0..10 {
            assert_eq!(limits.count_guess(guesser), Ok(()), "all ten are back after a minute");
        }
        assert_eq!(limits.count_guess(guesser), wait(Limit::FailedCredentials, 6));
    }

    #[test]
    fn calls_are_counted_by_address_and_by_key() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let (one, other) = (caller(&limits, "2001:db8::1"), caller(&limits, "2001:db8:0:1::1"));
        for _ in 0..3 {
            assert_eq!(limits.count_request(one), Ok(()));
        }
        assert_eq!(limits.count_request(one), wait(Limit::Address, 1));
        assert_eq!(limits.count_request(caller(&limits, "2001:db8::2")), wait(Limit::Address, 1), "the same subscriber");
        assert_eq!(limits.count_request(other), Ok(()));
        assert_eq!((limits.count_credential(one, [1; 32]), limits.count_credential(other, [1; 32])), (Ok(()), Ok(())));
        assert_eq!(limits.count_credential(one, [1; 32]), wait(Limit::Credential, 1), "one key from two places");
        assert_eq!(limits.count_credential(one, [2; 32]), Ok(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!((limits.count_request(one), limits.count_credential(one, [1; 32])), (Ok(()), Ok(())));
    }

    #[test]
    fn who_is_exempt_never_waits() {
        let limits = limits(&FakeRelativeClock::default());
        let gateway = caller(&limits, "10.1.2.3");
        for _ in 0..100 {
            assert_eq!((limits.count_guess(gateway), limits.check_guesses(gateway)), (Ok(()), Ok(())));
            assert_eq!((limits.count_request(gateway), limits.count_credential(gateway, [1; 32])), (Ok(()), Ok(())));
        }
    }

    #[test]
    fn zero_is_no_limit() {
        assert_eq!((Rate::new(0, 10), Rate::new(10, 0)), (None, None));
        let limits = Limits::new(LimitConfig::default());
        let anybody = caller(&limits, "192.0.2.1");
        for _ in 0..10_000 {
            assert_eq!((limits.count_guess(anybody), limits.check_guesses(anybody)), (Ok(()), Ok(())));
            assert_eq!((limits.count_request(anybody), limits.count_credential(anybody, [1; 32])), (Ok(()), Ok(())));
        }
    }

    #[test]
    fn many_threads_share_one_count() {
        let limits = limits(&FakeRelativeClock::default());
        let guesser = caller(&limits, "192.0.2.1");
        let guess = || (0..100).filter(|_| limits.count_guess(guesser).is_ok()).count();
        let passed: usize =
            std::thread::scope(|scope| [(); 8].map(|()| scope.spawn(guess)).into_iter().map(|t| t.join().expect("ends")).sum());
        assert_eq!(passed, 10);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_who_is_fresh_again() {
        let clock = FakeRelativeClock::default();
        let limits = Limits::with_clock(config(), &clock, 100);
        let guess = |n: u32| limits.count_guess(Caller { address: IpAddr::V4(n.into()), counted_as: Some(IpAddr::V4(n.into())) });
        let tracked = || limits.failed_credentials.as_ref().expect("on").tracked();
        for n in 0..100_000 {
            assert_eq!(guess(n), Ok(()));
        }
        assert_eq!(tracked(), 100);
        for _ in 0..9 {
            assert_eq!(guess(7), Ok(()));
        }
        assert_eq!(guess(7), wait(Limit::FailedCredentials, 6), "who was in the table before the flood is still counted");
        clock.advance(Duration::from_secs(30));
        assert_eq!(guess(200_000), Ok(()));
        assert_eq!(tracked(), 2, "who waits, and the newcomer; the others are as if they had never guessed");
    }
}
