# Eight anonymous pages: written on node 1, moved to node 2 directly, then to node 3 by whoever touches them.
anon a 8p
map a
mbind a preferred 1
touch a write
mbind a 0 8p bind+move 2
mbind a 0 8p bind+move+lazy 3
touch a
where a
quit
