module mpegclient

go 1.19
