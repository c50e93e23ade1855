// Compares a descriptor set, as `buf build` writes it, with the one in the published Go module of CSI.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: descriptor FILE (a binary FileDescriptorSet)")
	}
	ours, err := read(os.Args[1])
	if err != nil {
		fail(err.Error())
	}
	differences, compared := compare(flatten(ours), flatten(protodesc.ToFileDescriptorProto(csi.File_csi_proto)))
	for _, difference := range differences {
		fmt.Println(difference)
	}
	fmt.Printf("%d items compared with the published descriptor, %d differ\n", compared, len(differences))
	if len(differences) > 0 || compared == 0 {
		os.Exit(1)
	}
}

func read(path string) (*descriptorpb.FileDescriptorProto, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	set := &descriptorpb.FileDescriptorSet{}
	if err := proto.Unmarshal(bytes, set); err != nil {
		return nil, err
	}
	for _, file := range set.File {
		if file.GetPackage() == "csi.v1" {
			return file, nil
		}
	}
	return nil, fmt.Errorf("%s holds no file of package csi.v1", path)
}

func compare(ours, theirs map[string]string) ([]string, int) {
	names := map[string]bool{}
	for name := range ours {
		names[name] = true
	}
	for name := range theirs {
		names[name] = true
	}
	var differences []string
	for name := range names {
		mine, here := ours[name]
		published, there := theirs[name]
		switch {
		case !here:
			differences = append(differences, fmt.Sprintf("missing: %s: %s", name, published))
		case !there:
			differences = append(differences, fmt.Sprintf("not published: %s: %s", name, mine))
		case mine != published:
			differences = append(differences, fmt.Sprintf("differs: %s: ours %s, published %s", name, mine, published))
		}
	}
	sort.Strings(differences)
	return differences, len(names)
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, strings.TrimSpace(message))
	os.Exit(2)
}
