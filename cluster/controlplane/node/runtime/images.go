package runtime

import (
	"context"
	"fmt"

	internalapi "k8s.io/cri-api/pkg/apis"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// FolderImage is the one image a node has: a folder of this machine, which the pod names in
// FolderAnnotation, with this machine's programs.
const FolderImage = "kompute/folder"

// Images is the node's image service.
type Images struct {
	folder string
	uid    int64
}

var _ internalapi.ImageManagerService = Images{}

// NewImages has its files, none so far, in `folder`; `uid` is who runs them unless a pod says another.
func NewImages(folder string, uid int64) Images { return Images{folder, uid} }

func (i Images) folderImage() *cri.Image {
	return &cri.Image{
		Id: FolderImage, RepoTags: []string{FolderImage + ":latest"}, Size: 1,
		Uid: &cri.Int64Value{Value: i.uid}, Spec: &cri.ImageSpec{Image: FolderImage}, Pinned: true,
	}
}

func (i Images) ListImages(context.Context, *cri.ImageFilter) ([]*cri.Image, error) {
	return []*cri.Image{i.folderImage()}, nil
}

func (i Images) ImageStatus(_ context.Context, asked *cri.ImageSpec, _ bool) (*cri.ImageStatusResponse, error) {
	if isFolder(asked.GetImage()) {
		return &cri.ImageStatusResponse{Image: i.folderImage()}, nil
	}
	return &cri.ImageStatusResponse{}, nil
}

func (Images) PullImage(
	_ context.Context, asked *cri.ImageSpec, _ *cri.AuthConfig, _ *cri.PodSandboxConfig,
) (string, error) {
	if isFolder(asked.GetImage()) {
		return FolderImage, nil
	}
	return "", fmt.Errorf("no image %q: a node of processes has the image %s alone, which runs the "+
		"folder that the pod's annotation %s names", asked.GetImage(), FolderImage, FolderAnnotation)
}

func (Images) RemoveImage(context.Context, *cri.ImageSpec) error { return nil }

func (i Images) ImageFsInfo(context.Context) (*cri.ImageFsInfoResponse, error) {
	usage := []*cri.FilesystemUsage{{
		Timestamp: nanoseconds(), FsId: &cri.FilesystemIdentifier{Mountpoint: i.folder},
		UsedBytes: &cri.UInt64Value{}, InodesUsed: &cri.UInt64Value{},
	}}
	return &cri.ImageFsInfoResponse{ImageFilesystems: usage, ContainerFilesystems: usage}, nil
}

func (Images) Close(context.Context) error { return nil }

func isFolder(image string) bool {
	return image == FolderImage || image == FolderImage+":latest" ||
		image == "docker.io/"+FolderImage+":latest" || image == "docker.io/"+FolderImage
}
