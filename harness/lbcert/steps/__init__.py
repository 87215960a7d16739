"""What a test does with its lab: clients come, talk and come again; servers are told what to say; the product is administered."""
