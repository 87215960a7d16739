pytest_plugins = ["lbcert.plugin"]
