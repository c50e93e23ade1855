// Calls GetPluginInfo as kubelets of 2020 did: grpc-go of that time sends the socket's path as :authority.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
)

// Messages as they are on the wire.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error)      { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error { *v.(*[]byte) = append([]byte{}, data...); return nil }
func (rawCodec) Name() string                               { return "proto" }

func main() {
	path := os.Args[1]
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dial := func(ctx context.Context, address string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", address)
	}
	conn, err := grpc.DialContext(ctx, path, grpc.WithInsecure(), grpc.WithContextDialer(dial))
	if err != nil {
		fail(err)
	}
	defer conn.Close()
	var request, answer []byte
	for call := 0; call < 3; call++ {
		err := conn.Invoke(ctx, "/csi.v1.Identity/GetPluginInfo", &request, &answer, grpc.ForceCodec(rawCodec{}))
		if err != nil {
			fail(err)
		}
	}
	fmt.Printf("grpc-go %s: %q\n", grpc.Version, answer)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
