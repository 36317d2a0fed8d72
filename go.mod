module github.com/ipcwarden/ipcwarden

go 1.26.0
