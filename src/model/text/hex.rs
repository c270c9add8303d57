//! Hexadecimal digits.

/// Returns two lower-case digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
    text
}

/// Returns the bytes of pairs of digits in either case; `None` if there is anything else, or half a pair.
pub fn decode(digits: &str) -> Option<Vec<u8>> {
    digits.as_bytes().chunks(2).map(|pair| pair.try_into().ok().and_then(byte)).collect()
}

/// Returns the byte that two digits stand for, in either case.
pub fn byte(pair: [u8; 2]) -> Option<u8> {
    u8::try_from(number(&pair)?).ok()
}

/// Returns the number that up to eight digits stand for, in either case. Signs, which the standard library takes, are
/// no digits.
pub fn number(digits: &[u8]) -> Option<u32> {
    if !(1..=8).contains(&digits.len()) {
        return None;
    }
    digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_and_signs_are_not() {
        assert_eq!((encode(&[0, 15, 0xa1, 255]), encode(&[])), ("000fa1ff".into(), String::new()));
        assert_eq!((decode("000FA1ff"), decode("")), (Some(vec![0, 15, 0xa1, 255]), Some(vec![])));
        for odd in ["0", "0g", "+1", "é", "00 "] {
            assert_eq!(decode(odd), None, "{odd}");
        }
        assert_eq!((number(b"d83d"), number(b"FFFFFFFF"), byte(*b"2F")), (Some(0xd83d), Some(u32::MAX), Some(0x2f)));
        for odd in ["", "+1", "-1", "1_0", "100000000"] {
            assert_eq!(number(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest::proptest! {
        #[test]
        fn bytes_come_back_from_their_digits(bytes: Vec<u8>) {
            let by_the_standard_library: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            proptest::prop_assert_eq!(encode(&bytes), by_the_standard_library.as_str());
            proptest::prop_assert_eq!(decode(&encode(&bytes).to_uppercase()), Some(bytes));
        }
    }
}
