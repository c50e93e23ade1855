// Package suite is Kubernetes' external storage suite by itself: of its end-to-end tests those that ask a CSI driver what
// Kubernetes asks of it, as a description of the driver allows (-storage.testdriver).
package suite

import (
	"flag"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"

	// Tells what a failed spec had in its namespace.
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	// The specs.
	_ "k8s.io/kubernetes/test/e2e/storage/external"
)

func TestMain(m *testing.M) {
	// The framework's flags end up in its TestContext; the suite's own defines the specs as it is read.
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	config.CopyFlags(config.Flags, flag.CommandLine)
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)
	os.Exit(m.Run())
}

func TestExternalStorage(t *testing.T) {
	// Else what a spec expects is no concern of Ginkgo's.
	gomega.RegisterFailHandler(framework.Fail)
	suite, reporter := framework.CreateGinkgoConfig()
	ginkgo.RunSpecs(t, "external storage", suite, reporter)
}
