//! Files as data: what a kubeconfig refers to, put into it.

use k8s_openapi::ByteString;

/// Standard base64, by the codec that Kubernetes' own byte strings use.
pub(crate) fn base64(bytes: &[u8]) -> String {
    match serde_json::to_value(ByteString(bytes.to_vec())) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Replaces the path by the file's content, unless there is data already.
pub(crate) fn embed_file(path: &mut Option<String>, data: &mut Option<String>) -> Result<(), String> {
    let Some(path) = path.take() else { return Ok(()) };
    if data.is_none() {
        let bytes = std::fs::read(&path).map_err(|error| format!("{path} cannot be read: {error}"))?;
        *data = Some(base64(&bytes));
    }
    Ok(())
}

/// Certificates as PEM.
pub(crate) fn pem(certificates: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = base64(certificate);
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, tail) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = tail;
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_wrapped_at_64_characters() {
        let text = pem(&[vec![0; 60]]);

        assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [27, 64, 16, 25]);
    }

    #[test]
    fn base64_is_padded() {
        assert_eq!(base64(b"a"), "YQ==");
    }
}
