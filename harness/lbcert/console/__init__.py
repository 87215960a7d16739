"""Labs that stay up for people: `lbcert lab`, and `lbcert fault` and `lbcert shell` from other terminals."""
