-- Nothing asks for the awards of a person without naming a round, and the index took a sixth of the table.

drop index award_guid;
