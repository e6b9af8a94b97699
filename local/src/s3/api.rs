//! The operations of S3 that this store has. `s3s` answers every other one with 501 NotImplemented and its name.

mod buckets;
mod copy;
mod delete;
mod description;
mod list;
mod multipart;
mod object;
mod parts;
mod tagging;
mod version;

use std::sync::Arc;

use s3s::{S3Request, S3Response, S3Result, dto::*};

use super::{checksum::announced_trailers, store::Store};

pub(super) use buckets::create as create_bucket;
pub(super) use buckets::set_cors;

/// The store as `s3s` wants it.
pub(super) struct Api {
    pub(super) store: Arc<Store>,
}

type ApiResult<T> = S3Result<S3Response<T>>;

#[async_trait::async_trait]
impl s3s::S3 for Api {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> ApiResult<CreateBucketOutput> {
        buckets::check_configuration(req.input.create_bucket_configuration.as_ref())?;
        buckets::create(&self.store, &req.input.bucket).await?;
        Ok(S3Response::new(CreateBucketOutput {
            location: Some(format!("/{}", req.input.bucket)),
        }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> ApiResult<HeadBucketOutput> {
        buckets::head(&self.store, &req.input.bucket).map(S3Response::new)
    }

    async fn list_buckets(&self, req: S3Request<ListBucketsInput>) -> ApiResult<ListBucketsOutput> {
        buckets::list(&self.store, &req.input).map(S3Response::new)
    }

    async fn delete_bucket(&self, req: S3Request<DeleteBucketInput>) -> ApiResult<DeleteBucketOutput> {
        buckets::delete(&self.store, req.input.bucket).await?;
        Ok(S3Response::new(DeleteBucketOutput::default()))
    }

    async fn get_bucket_location(
        &self,
        req: S3Request<GetBucketLocationInput>,
    ) -> ApiResult<GetBucketLocationOutput> {
        buckets::head(&self.store, &req.input.bucket)?;
        Ok(S3Response::new(GetBucketLocationOutput::default()))
    }

    /// Nothing here keeps versions, and clients that ask get that answer.
    async fn get_bucket_versioning(
        &self,
        req: S3Request<GetBucketVersioningInput>,
    ) -> ApiResult<GetBucketVersioningOutput> {
        buckets::head(&self.store, &req.input.bucket)?;
        Ok(S3Response::new(GetBucketVersioningOutput::default()))
    }

    async fn get_bucket_cors(&self, req: S3Request<GetBucketCorsInput>) -> ApiResult<GetBucketCorsOutput> {
        buckets::get_cors(&self.store, &req.input.bucket).map(S3Response::new)
    }

    async fn put_bucket_cors(&self, req: S3Request<PutBucketCorsInput>) -> ApiResult<PutBucketCorsOutput> {
        buckets::put_cors(&self.store, req.input).await?;
        Ok(S3Response::new(PutBucketCorsOutput::default()))
    }

    async fn delete_bucket_cors(
        &self,
        req: S3Request<DeleteBucketCorsInput>,
    ) -> ApiResult<DeleteBucketCorsOutput> {
        set_cors(&self.store, &req.input.bucket, Vec::new()).await?;
        Ok(S3Response::new(DeleteBucketCorsOutput::default()))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> ApiResult<PutObjectOutput> {
        let announced = announced_trailers(&req.headers);
        object::put(&self.store, req.input, req.trailing_headers, announced)
            .await
            .map(S3Response::new)
    }

    /// Browser form uploads would be held in memory whole.
    async fn post_object(&self, _: S3Request<PostObjectInput>) -> ApiResult<PostObjectOutput> {
        Err(s3s::s3_error!(
            NotImplemented,
            "PostObject is not implemented. Use PutObject with a presigned URL."
        ))
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> ApiResult<GetObjectOutput> {
        object::get(&self.store, req.input).await.map(S3Response::new)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> ApiResult<HeadObjectOutput> {
        object::head(&self.store, req.input).map(S3Response::new)
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> ApiResult<CopyObjectOutput> {
        copy::copy(&self.store, req.input, &req.headers)
            .await
            .map(S3Response::new)
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> ApiResult<DeleteObjectOutput> {
        delete::delete_object(&self.store, req.input)
            .await
            .map(S3Response::new)
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> ApiResult<DeleteObjectsOutput> {
        delete::delete_objects(&self.store, req.input)
            .await
            .map(S3Response::new)
    }

    async fn list_objects(&self, req: S3Request<ListObjectsInput>) -> ApiResult<ListObjectsOutput> {
        list::list_objects(self.store.clone(), req.input)
            .await
            .map(S3Response::new)
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> ApiResult<ListObjectsV2Output> {
        list::list_objects_v2(self.store.clone(), req.input)
            .await
            .map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> ApiResult<CreateMultipartUploadOutput> {
        multipart::create(&self.store, req.input)
            .await
            .map(S3Response::new)
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> ApiResult<UploadPartOutput> {
        let announced = announced_trailers(&req.headers);
        parts::upload(&self.store, req.input, req.trailing_headers, announced)
            .await
            .map(S3Response::new)
    }

    async fn upload_part_copy(&self, req: S3Request<UploadPartCopyInput>) -> ApiResult<UploadPartCopyOutput> {
        parts::copy(&self.store, req.input).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> ApiResult<CompleteMultipartUploadOutput> {
        multipart::complete(&self.store, req.input)
            .await
            .map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> ApiResult<AbortMultipartUploadOutput> {
        multipart::abort(&self.store, req.input).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> ApiResult<ListPartsOutput> {
        parts::list(&self.store, req.input).map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        req: S3Request<ListMultipartUploadsInput>,
    ) -> ApiResult<ListMultipartUploadsOutput> {
        list::uploads(&self.store, &req.input).map(S3Response::new)
    }

    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> ApiResult<GetObjectTaggingOutput> {
        tagging::get(&self.store, &req.input).map(S3Response::new)
    }

    async fn put_object_tagging(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> ApiResult<PutObjectTaggingOutput> {
        tagging::put(&self.store, req.input).await.map(S3Response::new)
    }

    async fn delete_object_tagging(
        &self,
        req: S3Request<DeleteObjectTaggingInput>,
    ) -> ApiResult<DeleteObjectTaggingOutput> {
        tagging::set(&self.store, req.input.bucket, req.input.key, Vec::new()).await?;
        Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
    }
}
