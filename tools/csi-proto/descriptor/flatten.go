package main

import (
	"fmt"
	"sort"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

type items map[string]string

// flatten names every element of a file and writes down all that matters about it, comments and order aside.
func flatten(file *descriptorpb.FileDescriptorProto) map[string]string {
	out := items{}
	out["file"] = fmt.Sprintf("package %s, syntax %s, options %s", file.GetPackage(), file.GetSyntax(), options(file.Options))
	for _, dependency := range file.Dependency {
		out["import "+dependency] = "yes"
	}
	for _, extension := range file.Extension {
		out["extension "+extension.GetName()] = extension.GetExtendee() + " " + field(extension, nil)
	}
	for _, message := range file.MessageType {
		out.message(message.GetName(), message)
	}
	for _, enum := range file.EnumType {
		out.enum(enum.GetName(), enum)
	}
	for _, service := range file.Service {
		out.service(service)
	}
	return out
}

func (out items) message(name string, message *descriptorpb.DescriptorProto) {
	var reserved []string
	for _, span := range message.ReservedRange {
		reserved = append(reserved, fmt.Sprintf("%d-%d", span.GetStart(), span.GetEnd()))
	}
	reserved = append(reserved, message.ReservedName...)
	sort.Strings(reserved)
	out["message "+name] = fmt.Sprintf("reserved [%s], options %s", strings.Join(reserved, " "), options(message.Options))
	for _, oneof := range message.OneofDecl {
		out["oneof "+name+"."+oneof.GetName()] = options(oneof.Options)
	}
	for _, each := range message.Field {
		out["field "+name+"."+each.GetName()] = field(each, message.OneofDecl)
	}
	for _, nested := range message.NestedType {
		out.message(name+"."+nested.GetName(), nested)
	}
	for _, enum := range message.EnumType {
		out.enum(name+"."+enum.GetName(), enum)
	}
}

func (out items) enum(name string, enum *descriptorpb.EnumDescriptorProto) {
	var reserved []string
	for _, span := range enum.ReservedRange {
		reserved = append(reserved, fmt.Sprintf("%d-%d", span.GetStart(), span.GetEnd()))
	}
	out["enum "+name] = fmt.Sprintf("reserved [%s], options %s", strings.Join(reserved, " "), options(enum.Options))
	for _, value := range enum.Value {
		out["value "+name+"."+value.GetName()] = fmt.Sprintf("= %d, options %s", value.GetNumber(), options(value.Options))
	}
}

func (out items) service(service *descriptorpb.ServiceDescriptorProto) {
	out["service "+service.GetName()] = options(service.Options)
	for _, rpc := range service.Method {
		out["rpc "+service.GetName()+"."+rpc.GetName()] = fmt.Sprintf("(%s, stream %t) returns (%s, stream %t), options %s",
			rpc.GetInputType(), rpc.GetClientStreaming(), rpc.GetOutputType(), rpc.GetServerStreaming(), options(rpc.Options))
	}
}

func field(each *descriptorpb.FieldDescriptorProto, oneofs []*descriptorpb.OneofDescriptorProto) string {
	oneof := "none"
	if each.OneofIndex != nil {
		oneof = oneofs[each.GetOneofIndex()].GetName()
	}
	return fmt.Sprintf("= %d, %s %s %s, oneof %s, json %s, optional %t, options %s", each.GetNumber(), each.GetLabel(), each.GetType(),
		each.GetTypeName(), oneof, each.GetJsonName(), each.GetProto3Optional(), options(each.Options))
}

// options writes options the same way whether they are absent or empty.
func options(message proto.Message) string {
	if !message.ProtoReflect().IsValid() {
		return "{}"
	}
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(text), " ", "")
}
