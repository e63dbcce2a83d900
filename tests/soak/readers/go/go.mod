module reader

go 1.19

require mpegclient v0.0.0

replace mpegclient => ../../../../bindings/go
