//! The webhook's `Stripe-Signature` header ("Receive Stripe events in your webhook endpoint", manual verification):
//! `t=<seconds since 1970>,v1=<hex>[,v1=<hex>]…`, each `v1` the HMAC-SHA256 of `<t>.<body>` under an endpoint's secret. There are
//! two while a secret is being changed. Other schemes (`v0`) are not looked at.

use super::secrets::WebhookSecret;
use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// How far `t` may be from now, before or after: five minutes, as Stripe's libraries have it.
pub const SIGNATURE_TOLERANCE_SECONDS: i64 = 300;

/// More of a header than this is not looked at.
const PARTS_MAX: usize = 32;

/// Why a delivery was not believed. Never holds the body or a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not `t=…,v1=…`, or with two times.
    #[error("the Stripe-Signature header is not t=…,v1=…")]
    Malformed,
    /// No `v1` signature of this body under this secret.
    #[error("the signature is not of this body under this webhook's secret")]
    Mismatch,
    /// Signed too long ago: a replay, or a clock that is ahead.
    #[error("the signature is older than {SIGNATURE_TOLERANCE_SECONDS} seconds")]
    TooOld,
    /// Signed in the future: a clock that is behind.
    #[error("the signature is more than {SIGNATURE_TOLERANCE_SECONDS} seconds in the future")]
    TooNew,
}

/// Checks that a body, byte for byte as it arrived, was signed under a secret at about `now`. Signatures are compared in constant
/// time, and before the time is judged: only a signed time is worth a word. Answers the instant it was signed at.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(secret: &WebhookSecret, header: &str, body: &[u8], now: DateTime<Utc>) -> Result<DateTime<Utc>, SignatureError> {
    let (time, signatures) = read(header).ok_or(SignatureError::Malformed)?;
    let at = time.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or(SignatureError::Malformed)?;
    let mac = mac(secret, time, body);
    // Every one is compared: which one fits is no secret, but it costs nothing to tell nobody.
    let fits = signatures.iter().filter(|given| mac.clone().verify_slice(given.as_slice()).is_ok()).count();
    if fits == 0 {
        return Err(SignatureError::Mismatch);
    }
    let age_seconds = now.timestamp().saturating_sub(at.timestamp());
    if age_seconds > SIGNATURE_TOLERANCE_SECONDS {
        return Err(SignatureError::TooOld);
    }
    if age_seconds < SIGNATURE_TOLERANCE_SECONDS.saturating_neg() {
        return Err(SignatureError::TooNew);
    }
    Ok(at)
}

/// Writes the header that [`verify`] takes: what Stripe does, for stand-ins of it.
#[must_use]
pub fn sign(secret: &WebhookSecret, body: &[u8], at: DateTime<Utc>) -> String {
    let time = at.timestamp().to_string();
    let signature = mac(secret, &time, body).finalize().into_bytes();
    format!("t={time},v1={}", hex::encode(signature))
}

fn mac(secret: &WebhookSecret, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes()).expect("HMAC takes a key of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// The one time, in its own digits, and the `v1` signatures that are 32 bytes of hex; at least one `v1` has to be there.
fn read(header: &str) -> Option<(&str, Vec<[u8; 32]>)> {
    let (mut time, mut signatures, mut named) = (None, Vec::new(), false);
    for part in header.split(',').take(PARTS_MAX) {
        let (scheme, value) = part.trim().split_once('=')?;
        match scheme {
            "t" if time.is_some() => return None,
            "t" => time = Some(value),
            "v1" => {
                named = true;
                let mut signature = [0u8; 32];
                signatures.extend(hex::decode_to_slice(value, &mut signature).is_ok().then_some(signature));
            }
            _ => {}
        }
    }
    let time = time.filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))?;
    named.then_some((time, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    const SIGNED_SECONDS: i64 = 1_492_774_577;

    fn secret() -> WebhookSecret {
        WebhookSecret::new("whsec_test_secret".into()).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn check(header: &str) -> Result<DateTime<Utc>, SignatureError> {
        verify(&secret(), header, BODY, at(SIGNED_SECONDS))
    }

    /// Signatures made by OpenSSL: `printf '%s.%s' T BODY | openssl dgst -sha256 -hmac SECRET`.
    #[test]
    fn signatures_made_elsewhere_are_believed() {
        let header = format!("t={SIGNED_SECONDS},v1=654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543");
        assert_eq!(check(&header), Ok(at(SIGNED_SECONDS)));
        assert_eq!(sign(&secret(), BODY, at(SIGNED_SECONDS)), header);
        let other = WebhookSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()).unwrap();
        let header = "t=1788782400,v1=fc9f0f1cd408db3efa405e37fa31a06a2317ef4dd326f6206328c25bfc835e71";
        assert_eq!(verify(&other, header, b"", at(1_788_782_400)), Ok(at(1_788_782_400)));
    }

    #[test]
    fn one_good_signature_among_several_is_enough() {
        let good = sign(&secret(), BODY, at(SIGNED_SECONDS));
        let v1 = good.split_once(",v1=").unwrap().1;
        let zeros = "0".repeat(64);
        for header in [
            format!("t={SIGNED_SECONDS},v1={zeros},v1={v1},v0={zeros}"),
            format!("t={SIGNED_SECONDS},v1=nonsense,v1={v1}"),
            format!("v0=x,v1={v1}, t={SIGNED_SECONDS}"),
            format!("t={SIGNED_SECONDS},v1={}", v1.to_uppercase()),
        ] {
            assert_eq!(check(&header), Ok(at(SIGNED_SECONDS)), "{header}");
        }
    }

    #[test]
    fn what_is_not_signed_so_is_refused() {
        let good = sign(&secret(), BODY, at(SIGNED_SECONDS));
        let v1 = good.split_once(",v1=").unwrap().1;
        let mismatches = [
            format!("t={},v1={v1}", SIGNED_SECONDS + 1),
            format!("t=0{SIGNED_SECONDS},v1={v1}"),
            format!("t={SIGNED_SECONDS},v1={}", &v1[..62]),
            format!("t={SIGNED_SECONDS},v1={v1}00"),
            format!("t={SIGNED_SECONDS},v1="),
            format!("t={SIGNED_SECONDS},v1={}", "0".repeat(64)),
        ];
        for header in mismatches {
            assert_eq!(check(&header), Err(SignatureError::Mismatch), "{header}");
        }
        let malformed = [
            String::new(),
            v1.to_string(),
            format!("v1={v1}"),
            format!("t={SIGNED_SECONDS}"),
            format!("t={SIGNED_SECONDS},v0={v1}"),
            format!("t=,v1={v1}"),
            format!("t=-{SIGNED_SECONDS},v1={v1}"),
            format!("t=+{SIGNED_SECONDS},v1={v1}"),
            format!("t={SIGNED_SECONDS},t={SIGNED_SECONDS},v1={v1}"),
            format!("t={SIGNED_SECONDS},v1={v1},"),
            format!("t=99999999999999999999,v1={v1}"),
        ];
        for header in malformed {
            assert_eq!(check(&header), Err(SignatureError::Malformed), "{header}");
        }
        let other = WebhookSecret::new("whsec_test_secret2".into()).unwrap();
        assert_eq!(verify(&other, &good, BODY, at(SIGNED_SECONDS)), Err(SignatureError::Mismatch));
    }

    #[test]
    fn five_minutes_either_side_are_tolerated() {
        let header = sign(&secret(), BODY, at(SIGNED_SECONDS));
        let when = |seconds| verify(&secret(), &header, BODY, at(SIGNED_SECONDS + seconds));
        assert!(when(300).is_ok() && when(-300).is_ok());
        assert_eq!(when(301), Err(SignatureError::TooOld));
        assert_eq!(when(-301), Err(SignatureError::TooNew));
        // A stranger learns nothing about the clock.
        assert_eq!(verify(&secret(), &header, b"other", at(SIGNED_SECONDS + 9_999)), Err(SignatureError::Mismatch));
    }

    proptest! {
        #[test]
        fn only_the_signed_body_under_its_secret_passes(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            seconds in 0i64..4_000_000_000,
            skew in -300i64..=300,
            at_byte in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let header = sign(&secret(), &body, at(seconds));
            let now = at(seconds) + TimeDelta::seconds(skew);
            prop_assert_eq!(verify(&secret(), &header, &body, now), Ok(at(seconds)));
            let mut tampered = body.clone();
            if tampered.is_empty() {
                tampered.push(bit);
            } else {
                let place = at_byte.index(tampered.len());
                tampered[place] ^= 1 << bit;
            }
            prop_assert_eq!(verify(&secret(), &header, &tampered, now), Err(SignatureError::Mismatch));
        }

        /// One bit off anywhere in the header is never believed, unless it only changes the case of a digit.
        #[test]
        fn a_changed_header_never_passes(place in any::<prop::sample::Index>(), bit in 0u8..7) {
            let header = sign(&secret(), BODY, at(SIGNED_SECONDS));
            let mut bytes = header.clone().into_bytes();
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assume!(!changed.eq_ignore_ascii_case(&header));
            prop_assert!(check(&changed).is_err(), "{}", changed);
        }

        #[test]
        fn arbitrary_headers_are_refused_without_a_panic(header in ".*", seconds in any::<i32>()) {
            prop_assert!(verify(&secret(), &header, BODY, at(i64::from(seconds))).is_err());
        }

        #[test]
        fn headers_of_the_right_letters_are_refused_without_a_panic(header in "(t=[0-9]{0,21}|v1=[0-9a-fA-F]{0,70}|v0=x|,|=| ){0,40}") {
            prop_assert!(check(&header).is_err());
        }
    }
}
