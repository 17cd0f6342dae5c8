// An OpenID provider on the loopback address that is none of ours, with one user and one client: the example of
// zitadel/oidc, which asks for a name and a password, and holds a code to its PKCE challenge.
//
// Says its issuer, reads a line with the address to which browsers are sent back, and serves until its input ends.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: provider USERS_FILE CLIENT_ID CLIENT_SECRET")
	}
	users, err := storage.StoreFromFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	fmt.Println("issuer", issuer)

	input := bufio.NewReader(os.Stdin)
	back, err := input.ReadString('\n')
	if err != nil {
		log.Fatal(err)
	}
	storage.RegisterClients(storage.WebClient(os.Args[2], os.Args[3], strings.TrimSpace(back)))
	logger := slog.New(slog.NewTextHandler(os.Stdout, nil))
	go func() {
		log.Fatal(http.Serve(listener, exampleop.SetupServer(issuer, storage.NewStorage(users), logger, false)))
	}()
	io.Copy(io.Discard, input)
}
