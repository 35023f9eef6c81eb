//! Quantities as Kubernetes writes them: `500m`, `1.5`, `2Gi`.

/// How many thousandths of the unit that is, rounded up. None for what is no quantity, or beyond all clusters.
pub(super) fn thousandths(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    u64::try_from(digits.checked_mul(factor(suffix)?)?.div_ceil(scale)).ok()
}

fn factor(suffix: &str) -> Option<u128> {
    let decimal = |power| 10_u128.pow(power);
    let binary = |power: u32| 1_000_u128 << power;
    Some(match suffix {
        "m" => 1,
        "" => decimal(3),
        "k" => decimal(6),
        "M" => decimal(9),
        "G" => decimal(12),
        "T" => decimal(15),
        "P" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_all_their_units() {
        let read = ["500m", "2", "1.5", "0.1", ".5", "1k", "1Ki", "1.5Gi", "3G"].map(thousandths);

        let wanted = [500, 2_000, 1_500, 100, 500, 1_000_000, 1_024_000, 1_610_612_736_000, 3_000_000_000_000];
        assert_eq!(read, wanted.map(Some));
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in [
            "",
            "m",
            ".",
            "1.2.3",
            "-1",
            "1Gib",
            "1e3",
            "99999999999999999999Pi",
            "0.00000000000000000000000000000000000000001",
        ] {
            assert_eq!(thousandths(text), None, "{text:?}");
        }
    }
}
