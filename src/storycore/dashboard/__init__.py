"""What people see in the browser: pages made on the server, live by events, whole without scripts."""
