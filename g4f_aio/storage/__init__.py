"""What is kept between requests, in a database. Nothing heavy is imported before it is needed."""
